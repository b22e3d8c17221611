//! Letting a client learn of whoever is signed in in a browser: a code is given out.

use super::{Cx, TIDIED, Verdict, refuse, signed_in};
use crate::command::Accepted;
use crate::command::oauth::{Authorize, AuthorizePushed, Consent, Granted, Refused};
use crate::state::oauth::code::{self, Code};
use crate::state::oauth::{client, consent, spent};
use std::collections::BTreeSet;

pub(super) fn apply(cx: &mut Cx<'_>, command: &Authorize) -> Verdict {
    let browser = signed_in(cx, &command.cookie)?;
    let id = &command.granted.client;
    let trusted = client::is_trusted(cx.db(), id)?;
    let trusted = trusted.ok_or_else(|| refuse(Refused::NoSuchClient))?;
    let scope = &command.granted.scope;
    let earlier = consent::get(cx.db(), &browser.user, id)?;
    match command.consent {
        Consent::Now { remember: false } => {}
        Consent::Now { remember: true } => {
            let all = joined(earlier.as_deref().unwrap_or_default(), scope);
            consent::set(cx.db(), &browser.user, id, &all, cx.time())?;
        }
        Consent::Earlier => {
            if !trusted && !earlier.is_some_and(|earlier| covers(&earlier, scope)) {
                return Err(refuse(Refused::ConsentNeeded));
            }
        }
    }
    let now = cx.time();
    code::purge(cx.db(), now, TIDIED)?;
    let row = Code {
        granted: Granted {
            auth_time: browser.auth_time,
            browser: Some(browser.device),
            ..command.granted.clone()
        },
        user: browser.user,
        until: now + command.lasts,
        session: None,
    };
    code::insert(cx.db(), &command.code, &row)?;
    Ok(Accepted::Done)
}

/// The same, once for each request that was pushed: what is refused leaves it as good as it was.
pub(super) fn pushed(cx: &mut Cx<'_>, command: &AuthorizePushed) -> Verdict {
    let AuthorizePushed { authorize, pushed } = command;
    if pushed.until <= cx.time() || spent::is_spent(cx.db(), &pushed.what)? {
        return Err(refuse(Refused::Spent));
    }
    let accepted = apply(cx, authorize)?;
    spent::purge(cx.db(), cx.time(), TIDIED)?;
    spent::spend(cx.db(), &pushed.what, pushed.until)?;
    Ok(accepted)
}

/// The scopes of both, in their order.
fn joined(one: &str, other: &str) -> String {
    let all: BTreeSet<&str> = one.split(' ').chain(other.split(' ')).collect();
    let all: Vec<&str> = all.into_iter().filter(|scope| lasts(scope)).collect();
    all.join(" ")
}

/// Whether whoever agreed to `earlier` agreed to `scope`.
pub(crate) fn covers(earlier: &str, scope: &str) -> bool {
    let earlier: BTreeSet<&str> = earlier.split(' ').collect();
    let mut asked = scope.split(' ').filter(|scope| lasts(scope));
    asked.all(|one| earlier.contains(one))
}

/// Whether a scope is the same each time: a Matrix device is another one.
fn lasts(scope: &str) -> bool {
    let names_a_device = scope.starts_with("urn:matrix:") && scope.contains(":client:device:");
    !scope.is_empty() && !names_a_device
}

#[cfg(test)]
mod tests {
    use super::{covers, joined};
    use crate::command::oauth::{AuthorizePushed, Consent, Oauth, Refused, Spend};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, authorize, token};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn ask(bench: &Bench, n: u8, scope: &str, consent: Consent) -> Result<Accepted, Rejected> {
        let mut command = authorize(n, scope);
        command.consent = consent;
        bench.oauth(Actor::Nobody, Oauth::Authorize(command))
    }

    #[test]
    fn who_agreed_and_wants_it_remembered_is_not_asked_again() {
        let bench = Bench::with_browser();
        let needed = Err(Rejected::Oauth(Refused::ConsentNeeded));
        let done = Ok(Accepted::Done);
        let now = |remember| Consent::Now { remember };
        assert_eq!(ask(&bench, 1, "openid", Consent::Earlier), needed);
        assert_eq!(ask(&bench, 2, "openid", now(false)), done);
        assert_eq!(ask(&bench, 3, "openid", Consent::Earlier), needed);
        assert_eq!(ask(&bench, 4, "openid", now(true)), done);
        assert_eq!(ask(&bench, 5, "openid", Consent::Earlier), done);
        assert_eq!(ask(&bench, 6, "email openid", Consent::Earlier), needed);
        assert_eq!(ask(&bench, 7, "email openid", now(true)), done);
        assert_eq!(ask(&bench, 8, "email", Consent::Earlier), done);
        assert_eq!(bench.count("oauth_code"), 5);
    }

    #[test]
    fn nobody_agrees_who_is_not_signed_in() {
        let bench = Bench::with_browser();
        let mut command = authorize(1, "openid");
        command.cookie = token(77);
        let refused = bench.oauth(Actor::Nobody, Oauth::Authorize(command));
        let expect = Err(Rejected::Oauth(Refused::NotSignedIn));
        assert_eq!(refused, expect);
        bench.pass(Millis::hours(24));
        let late = ask(&bench, 1, "openid", Consent::Now { remember: false });
        assert_eq!(late, expect);
    }

    #[test]
    fn a_pushed_request_gives_one_code() {
        let bench = Bench::with_browser();
        let end = bench.now() + Millis::seconds(90);
        let ask = |n: u8, consent: Consent, name: u8| {
            let mut authorize = authorize(n, "openid");
            authorize.consent = consent;
            let pushed = Spend {
                what: token(name),
                until: end,
            };
            let command = AuthorizePushed { authorize, pushed };
            bench.oauth(Actor::Nobody, Oauth::AuthorizePushed(command))
        };
        let now = Consent::Now { remember: false };
        let needed = Err(Rejected::Oauth(Refused::ConsentNeeded));
        let spent = Err(Rejected::Oauth(Refused::Spent));
        assert_eq!(ask(1, Consent::Earlier, 81), needed);
        assert_eq!(ask(2, now, 81), Ok(Accepted::Done), "it is not used up yet");
        assert_eq!(ask(3, now, 81), spent);
        assert_eq!(ask(4, now, 82), Ok(Accepted::Done));
        bench.pass(Millis::seconds(90));
        assert_eq!(ask(5, now, 83), spent, "it has run out");
        assert_eq!(bench.count("oauth_code"), 2);
    }

    #[test]
    fn scopes_are_sets() {
        assert_eq!(joined("", "b a"), "a b");
        assert_eq!(joined("a c", "b a"), "a b c");
        for (earlier, scope, expect) in [
            ("a b", "b", true),
            ("a b", "b a", true),
            ("a", "a b", false),
            ("", "a", false),
            ("a", "a urn:matrix:client:device:ABCDEFGHIJ", true),
        ] {
            assert_eq!(covers(earlier, scope), expect, "{earlier} / {scope}");
        }
    }
}
