//! The rules of the OpenID provider, one file a verb.

mod authorize;
mod begin;
mod browser;
mod clients;
mod consent;
mod device_code;
mod keys;
mod redeem;
mod refresh;
mod revoke;
mod spend;

pub(crate) use authorize::covers;

use super::{Cx, Verdict};
use crate::command::oauth::{Oauth, Refused};
use crate::command::{Accepted, Rejected};
use crate::state::account;
use crate::state::oauth::browser::Browser;
use crate::state::restricted;
use bongsu_base::{Millis, UserId};
use bongsu_lane::Refusal;

type Ruled<T> = Result<T, Refusal<Rejected>>;

/// How much of what has ended is tidied away with each command that adds something: more than it adds.
const TIDIED: u32 = 4;
/// How long after an authorization code ran out its second use is noticed.
const REMEMBERED: Millis = Millis::minutes(10);

pub(super) fn apply(cx: &mut Cx<'_>, command: &Oauth) -> Verdict {
    match command {
        Oauth::AddKey(command) => keys::add(cx, command),
        Oauth::Administer(command) => clients::administer(cx, command),
        Oauth::RegisterClient(command) => clients::register(cx, command),
        Oauth::SignInBrowser(command) => browser::sign_in(cx, command),
        Oauth::SignUpBrowser(command) => browser::sign_up(cx, command),
        Oauth::SignOutBrowser(command) => browser::sign_out(cx, command),
        Oauth::Authorize(command) => authorize::apply(cx, command),
        Oauth::Redeem(command) => redeem::apply(cx, command),
        Oauth::RefreshTokens(command) => refresh::apply(cx, command),
        Oauth::Revoke(command) => revoke::by_client(cx, command),
        Oauth::BeginDevice(command) => device_code::begin(cx, command),
        Oauth::DecideDevice(command) => device_code::decide(cx, command),
        Oauth::RedeemDevice(command) => device_code::redeem(cx, command),
        Oauth::EndSession(command) => revoke::by_person(cx, command),
        Oauth::ForgetConsent(command) => consent::forget(cx, command),
        Oauth::Spend(command) => spend::apply(cx, command),
        Oauth::RefreshAsItself(command) => refresh::as_itself(cx, command),
        Oauth::AwaitDevice(command) => device_code::await_answer(cx, command),
        Oauth::AuthorizePushed(command) => authorize::pushed(cx, command),
        Oauth::SignInAgain(command) => browser::sign_in_again(cx, command),
    }
}

fn refuse(why: Refused) -> Refusal<Rejected> {
    Refusal::Rejected(Rejected::Oauth(why))
}

fn done(done: crate::command::oauth::Done) -> Verdict {
    Ok(Accepted::Oauth(done))
}

/// Whether an account can be used: it is there, not ended and not locked.
fn usable(cx: &Cx<'_>, user: &UserId) -> Ruled<()> {
    let open = account::get(cx.db(), user)?.is_some_and(|account| !account.deactivated);
    if !open {
        return Err(refuse(Refused::InvalidGrant));
    }
    if restricted::get(cx.db(), user)?.locked {
        return Err(Refusal::Rejected(Rejected::Locked));
    }
    Ok(())
}

/// Who is signed in in the browser with this cookie, if they can do anything.
fn signed_in(cx: &Cx<'_>, cookie: &crate::secret::TokenHash) -> Ruled<Browser> {
    let found = crate::state::oauth::browser::get(cx.db(), cookie)?;
    let found = found.filter(|browser| browser.until > cx.time());
    let browser = found.ok_or_else(|| refuse(Refused::NotSignedIn))?;
    usable(cx, &browser.user)?;
    Ok(browser)
}
