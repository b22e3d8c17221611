//! Beginning a session with a code (RFC 6749, section 4.1.3). A code is good once: used again, the session that
//! was begun with it ends (section 4.1.2).

use super::begin::{For, begin};
use super::{Cx, REMEMBERED, Verdict, done, refuse, usable};
use crate::apply::ending;
use crate::command::oauth::{Done, Redeem, Refused};
use crate::state::oauth::{code, session};

pub(super) fn apply(cx: &mut Cx<'_>, command: &Redeem) -> Verdict {
    let found = code::get(cx.db(), &command.code)?;
    let found = found.filter(|code| code.granted.client == command.client);
    let found = found.ok_or_else(|| refuse(Refused::InvalidGrant))?;
    if let Some(n) = found.session {
        if let Some(session) = session::get(cx.db(), n)? {
            ending::session(cx, &session)?;
        }
        return done(Done::Reused);
    }
    let granted = found.granted;
    if found.until <= cx.time() {
        return Err(refuse(Refused::InvalidGrant));
    }
    let elsewhere = |uri: &String| *uri != granted.redirect_uri;
    let other_verifier = command.challenge != granted.challenge;
    if command.redirect_uri.as_ref().is_some_and(elsewhere) || other_verifier {
        return Err(refuse(Refused::Mismatch));
    }
    if granted.jkt.is_some() && granted.jkt != command.begin.jkt {
        return Err(refuse(Refused::OtherKey));
    }
    usable(cx, &found.user)?;
    let whose = For {
        user: found.user,
        client: granted.client,
        scope: granted.scope,
        auth_time: granted.auth_time,
        browser: granted.browser,
        claims: granted.claims,
        nonce: granted.nonce,
        device: granted.device,
    };
    let begun = begin(cx, whose, &command.begin)?;
    let until = cx.time() + REMEMBERED;
    code::spend(cx.db(), &command.code, begun.issued.session, until)?;
    done(Done::Begun(Box::new(begun)))
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{Done, Oauth, Redeem, Refused, SignOutBrowser};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, authorize, client_id, redeem, token, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn ask(bench: &Bench, command: Redeem) -> Result<Accepted, Rejected> {
        bench.oauth(Actor::Nobody, Oauth::Redeem(command))
    }

    fn with_code() -> Bench {
        let bench = Bench::with_browser();
        let code = Oauth::Authorize(authorize(50, "openid"));
        assert_eq!(bench.oauth(Actor::Nobody, code), Ok(Accepted::Done));
        bench
    }

    #[test]
    fn a_code_is_good_once_and_used_again_ends_what_it_began() {
        let bench = with_code();
        let Ok(Accepted::Oauth(Done::Begun(begun))) = ask(&bench, redeem(50)) else {
            panic!("the code is good");
        };
        assert_eq!(begun.issued.user, user("mina"));
        assert_eq!((begun.issued.session.0, begun.issued.generation), (1, 1));
        assert_eq!(begun.nonce.as_deref(), Some("once"));
        assert_eq!(bench.count("device"), 2, "the browser and the client");
        assert_eq!(ask(&bench, redeem(50)), Ok(Accepted::Oauth(Done::Reused)));
        assert_eq!(bench.count("oauth_session"), 0);
        assert_eq!(bench.count("oauth_revoked"), 1);
    }

    #[test]
    fn a_code_is_good_for_its_own_request_alone() {
        let bench = with_code();
        let invalid = Refused::InvalidGrant;
        let changed = |change: fn(&mut Redeem)| {
            let mut command = redeem(50);
            change(&mut command);
            command
        };
        for (command, expect) in [
            (redeem(51), invalid.clone()),
            (
                changed(|one| one.client = client_id("thief")),
                invalid.clone(),
            ),
            (changed(|one| one.challenge = [8; 32]), Refused::Mismatch),
            (
                changed(|one| one.redirect_uri = Some("https://shop.example/".into())),
                Refused::Mismatch,
            ),
        ] {
            assert_eq!(ask(&bench, command), Err(Rejected::Oauth(expect)));
        }
        assert_eq!(bench.count("oauth_session"), 0);
        bench.pass(Millis::seconds(60));
        assert_eq!(ask(&bench, redeem(50)), Err(Rejected::Oauth(invalid)));
    }

    #[test]
    fn a_code_that_was_asked_for_with_a_key_is_for_that_key() {
        let bench = Bench::with_browser();
        let mut code = authorize(50, "openid");
        code.granted.jkt = Some([3; 32]);
        let made = bench.oauth(Actor::Nobody, Oauth::Authorize(code));
        assert_eq!(made, Ok(Accepted::Done));
        let other = Err(Rejected::Oauth(Refused::OtherKey));
        assert_eq!(ask(&bench, redeem(50)), other);
        let mut bound = redeem(50);
        bound.begin.jkt = Some([3; 32]);
        assert!(ask(&bench, bound).is_ok());
    }

    #[test]
    fn a_code_of_an_account_that_ended_is_not_good() {
        let bench = with_code();
        bench.deactivate("mina");
        let refused = ask(&bench, redeem(50));
        assert_eq!(refused, Err(Rejected::Oauth(Refused::InvalidGrant)));
        let out = Oauth::SignOutBrowser(SignOutBrowser { cookie: token(1) });
        assert_eq!(bench.oauth(Actor::Nobody, out), Ok(Accepted::Done));
    }
}
