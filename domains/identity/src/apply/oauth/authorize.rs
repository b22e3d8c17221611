//! Letting a client learn of whoever is signed in in a browser: a code is given out.

use super::{Cx, TIDIED, Verdict, refuse, signed_in};
use crate::command::Accepted;
use crate::command::oauth::{Authorize, Consent, Granted, Refused};
use crate::state::oauth::code::{self, Code};
use crate::state::oauth::{client, consent};
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
    use crate::command::oauth::{Consent, Oauth, Refused};
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
