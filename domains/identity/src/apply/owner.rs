//! Whose account a command may touch: one's own, or any for the operator.

use super::{Cx, reject};
use crate::command::Rejected;
use crate::state::account::Account;
use crate::state::oauth::session;
use crate::state::{account, token};
use bongsu_base::UserId;
use bongsu_lane::{Actor, Refusal};

/// The account of `user`, if whoever asks may change it now. A session that ended or expired between
/// the gateway's check and this entry may not.
pub(super) fn account_of(cx: &Cx<'_>, user: &UserId) -> Result<Account, Refusal<Rejected>> {
    match cx.actor() {
        actor if actor.is_operator() => {}
        Actor::Platform => {}
        Actor::User {
            user: asking,
            device,
        } if asking == user => match token::expiry(cx.db(), user, device)? {
            // The tokens of the OpenID provider's clients expire by themselves; the session tells whether it ended.
            None if session::on_device(cx.db(), user, device)?.is_some() => {}
            None => return Err(reject(Rejected::SessionEnded)),
            Some(Some(expires)) if expires <= cx.time() => {
                return Err(reject(Rejected::SessionExpired));
            }
            Some(_) => {}
        },
        _ => return Err(reject(Rejected::NotAllowed)),
    }
    match account::get(cx.db(), user)? {
        None => Err(reject(Rejected::NoSuchAccount)),
        Some(account) if account.deactivated => Err(reject(Rejected::Deactivated)),
        Some(account) => Ok(account),
    }
}
