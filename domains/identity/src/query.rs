//! Reads: what a gateway looks up in the view.

use crate::apply::lockout;
use crate::command::oauth::{ClientId, SessionNo};
use crate::secret::{PasswordHash, TokenHash};
use crate::state::oauth::{browser, client, consent, device_code, key, session, spent};
use crate::state::{account, device, profile, restricted, token};
use bongsu_base::{DeviceId, LogTime, Millis, UserId};
use bongsu_lane::ReadView;
use rusqlite::Result;

pub use crate::state::account::Listed;
pub use crate::state::device::Device;
pub use crate::state::oauth::browser::Browser;
pub use crate::state::oauth::client::ClientRow;
pub use crate::state::oauth::consent::Consented;
pub use crate::state::oauth::device_code::DeviceCode;
pub use crate::state::oauth::key::Key;
pub use crate::state::oauth::session::Session;
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

/// The password of an account.
pub fn password(view: &ReadView<'_>, user: &UserId) -> Result<Option<PasswordHash>> {
    let found = account::get(view.db(), user)?;
    Ok(found.and_then(|account| account.password))
}

/// Whether the name was never given to an account.
pub fn is_free(view: &ReadView<'_>, user: &UserId) -> Result<bool> {
    Ok(account::get(view.db(), user)?.is_none())
}

/// Whether the account is a guest's: one without a password.
pub fn is_guest(view: &ReadView<'_>, user: &UserId) -> Result<bool> {
    let found = account::get(view.db(), user)?;
    Ok(found.is_some_and(|account| account.password.is_none() && !account.deactivated))
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

/// The keys of the OpenID provider.
pub fn keys(view: &ReadView<'_>) -> Result<Vec<Key>> {
    key::all(view.db())
}

/// A client.
pub fn client(view: &ReadView<'_>, id: &ClientId) -> Result<Option<ClientRow>> {
    client::get(view.db(), id)
}

/// A page of the clients.
pub fn clients(view: &ReadView<'_>, after: &str, limit: usize) -> Result<Vec<ClientRow>> {
    client::list(view.db(), after, limit)
}

/// A client's session, if it goes on and its account can be used.
pub fn live_session(view: &ReadView<'_>, n: SessionNo) -> Result<Option<Session>> {
    let Some(session) = session::get(view.db(), n)? else {
        return Ok(None);
    };
    let locked = restricted::get(view.db(), &session.user)?.locked;
    Ok(Some(session).filter(|_| !locked))
}

/// A client's session, whatever its account may do.
pub fn session(view: &ReadView<'_>, n: SessionNo) -> Result<Option<Session>> {
    session::get(view.db(), n)
}

/// Who is signed in in the browser with this cookie, if they can do anything.
pub fn browser(view: &ReadView<'_>, cookie: &TokenHash, now: LogTime) -> Result<Option<Browser>> {
    let Some(found) = browser::get(view.db(), cookie)? else {
        return Ok(None);
    };
    let locked = restricted::get(view.db(), &found.user)?.locked;
    Ok(Some(found).filter(|found| found.until > now && !locked))
}

/// The scopes that a person lets a client have without being asked again.
pub fn consent(view: &ReadView<'_>, user: &UserId, client: &ClientId) -> Result<Option<String>> {
    consent::get(view.db(), user, client)
}

/// All that a person lets clients have.
pub fn consents(view: &ReadView<'_>, user: &UserId) -> Result<Vec<Consented>> {
    consent::list(view.db(), user)
}

/// The device whose code a person typed.
pub fn waiting_device(view: &ReadView<'_>, user_code: &str) -> Result<Option<DeviceCode>> {
    device_code::typed(view.db(), user_code)
}

/// The number of the last session that was given.
pub fn last_session(view: &ReadView<'_>) -> Result<i64> {
    session::last_number(view.db())
}

/// Whether something that is good once was used, or is good no more.
pub fn is_spent(view: &ReadView<'_>, what: &TokenHash) -> Result<bool> {
    spent::is_spent(view.db(), what)
}

/// The sessions from `from` to before `to` that ended while tokens of theirs may be good at `now`.
pub fn revoked(view: &ReadView<'_>, from: i64, to: i64, now: LogTime) -> Result<Vec<i64>> {
    session::revoked(view.db(), from, to, now)
}
