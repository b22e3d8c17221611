//! Reads: what a gateway looks up in the view.

use crate::apply::lockout;
use crate::secret::{PasswordHash, TokenHash};
use crate::state::{account, device, profile, restricted, token};
use bongsu_base::{DeviceId, LogTime, Millis, UserId};
use bongsu_lane::ReadView;
use rusqlite::Result;

pub use crate::state::account::Listed;
pub use crate::state::device::Device;
pub use crate::state::restricted::Restricted;
pub use crate::state::token::Holder;

/// What a gateway must know before it verifies a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInState {
    /// The password to verify against; `None` where there is no account or it has none.
    pub password: Option<PasswordHash>,
    /// Which of the account's passwords that is; 0 where there is no account.
    pub generation: u32,
    /// How long the account or the network is locked.
    pub locked: Option<Millis>,
}

/// Whether a refresh token was given out, as far as is remembered.
pub fn was_given(view: &ReadView<'_>, refresh: &TokenHash) -> Result<bool> {
    Ok(token::refresh(view.db(), refresh)?.is_some())
}

/// To whom an access token was given.
pub fn holder(view: &ReadView<'_>, hash: &TokenHash) -> Result<Option<Holder>> {
    token::holder(view.db(), hash)
}

/// What stands in the way of signing in to `user` from `address`.
pub fn sign_in_state(
    view: &ReadView<'_>,
    user: &UserId,
    address: &str,
    now: LogTime,
) -> Result<SignInState> {
    let found = account::get(view.db(), user)?;
    Ok(SignInState {
        generation: found.as_ref().map_or(0, |account| account.generation),
        password: found.and_then(|account| account.password),
        locked: lockout::wait(view.db(), user, address, now)?,
    })
}

/// Whether the name was never given to an account.
pub fn is_free(view: &ReadView<'_>, user: &UserId) -> Result<bool> {
    Ok(account::get(view.db(), user)?.is_none())
}

/// An account's devices, by id.
pub fn devices(view: &ReadView<'_>, user: &UserId) -> Result<Vec<Device>> {
    device::list(view.db(), user)
}

/// One device of an account.
pub fn device(view: &ReadView<'_>, user: &UserId, device: &DeviceId) -> Result<Option<Device>> {
    device::get(view.db(), user, device)
}

/// All fields of a profile with their JSON texts; `None` when there is no such account or it was
/// deactivated.
pub fn profile(view: &ReadView<'_>, user: &UserId) -> Result<Option<Vec<(String, String)>>> {
    match account::get(view.db(), user)? {
        Some(account) if !account.deactivated => profile::list(view.db(), user).map(Some),
        _ => Ok(None),
    }
}

/// Which restrictions an account has.
pub fn restricted(view: &ReadView<'_>, user: &UserId) -> Result<Restricted> {
    restricted::get(view.db(), user)
}

/// What an operator sees of an account.
pub fn listed(view: &ReadView<'_>, user: &UserId) -> Result<Option<Listed>> {
    account::listed(view.db(), user)
}

/// A page of what an operator sees of accounts.
pub fn list(view: &ReadView<'_>, after: &str, name: &str, limit: usize) -> Result<Vec<Listed>> {
    account::list(view.db(), after, name, limit)
}
