//! Signing in, up and out in a browser. A browser that signs in gets a new cookie, and the one that it had ends,
//! so that nobody signs in with a cookie that another gave them.

use super::{Cx, Ruled, TIDIED, Verdict};
use crate::apply::{create_account, ending, proof, reject, session};
use crate::command::oauth::{NewBrowser, SignInBrowser, SignOutBrowser, SignUpBrowser};
use crate::command::{Accepted, Rejected};
use crate::state::oauth::browser;
use crate::state::{account, device, restricted};
use bongsu_base::{DeviceId, UserId};

pub(super) fn sign_in(cx: &mut Cx<'_>, command: &SignInBrowser) -> Verdict {
    prove(cx, command, |cx| begin(cx, &command.user, &command.browser))
}

pub(super) fn sign_in_again(cx: &mut Cx<'_>, command: &SignInBrowser) -> Verdict {
    prove(cx, command, |cx| {
        let (user, new) = (&command.user, &command.browser);
        let before = match &new.before {
            Some(cookie) => browser::get(cx.db(), cookie)?,
            None => None,
        };
        let stays = before.filter(|before| before.user == *user && before.until > cx.time());
        match stays {
            Some(before) => go_on(cx, user, &before.device, new),
            None => begin(cx, user, new),
        }
    })
}

/// Has `then` done if the person is who they say.
fn prove(
    cx: &mut Cx<'_>,
    command: &SignInBrowser,
    then: impl FnOnce(&mut Cx<'_>) -> Ruled<()>,
) -> Verdict {
    let found = account::get(cx.db(), &command.user)?;
    if let Some(denial) = proof::judge(cx, &command.user, found.as_ref(), &command.proof)? {
        return Ok(Accepted::Denied(denial));
    }
    if restricted::get(cx.db(), &command.user)?.locked {
        return Err(reject(Rejected::Locked));
    }
    then(cx)?;
    Ok(Accepted::Done)
}

/// The browser that is `device` stays signed in, under the cookie of `new`.
fn go_on(cx: &mut Cx<'_>, user: &UserId, device: &DeviceId, new: &NewBrowser) -> Ruled<()> {
    check_name(new)?;
    let now = cx.time();
    let name = Some(new.name.as_str());
    device::seen(cx.db(), user, device, name, &new.address, now)?;
    browser::renew(cx.db(), (user, device), new, now)?;
    Ok(())
}

fn check_name(new: &NewBrowser) -> Ruled<()> {
    if new.name.len() > session::MAX_DEVICE_NAME {
        return Err(reject(Rejected::DeviceName));
    }
    Ok(())
}

pub(super) fn sign_up(cx: &mut Cx<'_>, command: &SignUpBrowser) -> Verdict {
    if account::get(cx.db(), &command.user)?.is_some() {
        return Err(reject(Rejected::UserInUse));
    }
    let password = Some(&command.password);
    create_account::begin(cx, &command.user, password, false)?;
    begin(cx, &command.user, &command.browser)?;
    Ok(Accepted::Done)
}

pub(super) fn sign_out(cx: &mut Cx<'_>, command: &SignOutBrowser) -> Verdict {
    if let Some(found) = browser::get(cx.db(), &command.cookie)? {
        ending::device(cx, &found.user, &found.device)?;
    }
    Ok(Accepted::Done)
}

fn begin(cx: &mut Cx<'_>, user: &UserId, new: &NewBrowser) -> Ruled<()> {
    check_name(new)?;
    let now = cx.time();
    for (user, device) in browser::ended(cx.db(), now, TIDIED)? {
        ending::device(cx, &user, &device)?;
    }
    let before = match &new.before {
        Some(cookie) => browser::get(cx.db(), cookie)?,
        None => None,
    };
    if let Some(before) = before {
        ending::device(cx, &before.user, &before.device)?;
    }
    ending::device(cx, user, &new.device)?;
    let name = Some(new.name.as_str());
    device::seen(cx.db(), user, &new.device, name, &new.address, now)?;
    browser::insert(cx.db(), user, new, now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{Oauth, SignInBrowser, SignOutBrowser, SignUpBrowser};
    use crate::command::{Accepted, Denial, Rejected};
    use crate::effect::Effect;
    use crate::secret::PasswordHash;
    use crate::state::oauth::browser;
    use crate::testing::{Bench, browser as new_browser, client_id, device, proof, token, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn ask(bench: &Bench, command: Oauth) -> Result<Accepted, Rejected> {
        bench.oauth(Actor::Nobody, command)
    }

    fn sign_in(n: u8, matched: bool) -> SignInBrowser {
        SignInBrowser {
            user: user("mina"),
            proof: proof(1, matched),
            browser: new_browser(n),
        }
    }

    fn is_in(bench: &Bench, n: u8) -> bool {
        bench.look(|db| browser::get(db, &token(n))).is_some()
    }

    #[test]
    fn a_browser_that_signs_in_again_gets_another_cookie() {
        let bench = Bench::with(&["mina"]);
        let wrong = ask(&bench, Oauth::SignInBrowser(sign_in(1, false)));
        assert_eq!(wrong, Ok(Accepted::Denied(Denial::WrongPassword)));
        assert!(!is_in(&bench, 1));
        assert_eq!(
            ask(&bench, Oauth::SignInBrowser(sign_in(1, true))),
            Ok(Accepted::Done)
        );
        let mut again = sign_in(2, true);
        again.browser.before = Some(token(1));
        assert_eq!(ask(&bench, Oauth::SignInBrowser(again)), Ok(Accepted::Done));
        assert_eq!([1, 2].map(|n| is_in(&bench, n)), [false, true]);
        assert_eq!(
            bench.count("device"),
            1,
            "it is one of the account's devices"
        );
    }

    #[test]
    fn services_go_on_when_the_same_person_signs_in_again() {
        let bench = Bench::with_session();
        let mut again = sign_in(2, true);
        again.browser.before = Some(token(1));
        bench.pass(Millis::minutes(10));
        let done = ask(&bench, Oauth::SignInAgain(again));
        assert_eq!(done, Ok(Accepted::Done));
        assert_eq!([1, 2].map(|n| is_in(&bench, n)), [false, true]);
        assert_eq!(bench.count("oauth_session"), 1);
        assert_eq!(bench.effects(), []);
        let found = bench.look(|db| browser::get(db, &token(2)));
        let found = found.expect("signed in");
        assert_eq!(found.device, device("BROWSER1"));
        assert_eq!(found.auth_time, bench.now());
    }

    #[test]
    fn services_end_when_somebody_else_signs_in() {
        let bench = Bench::with_session();
        ask(
            &bench,
            Oauth::SignUpBrowser(SignUpBrowser {
                user: user("jun"),
                password: PasswordHash::from_phc("first".into()),
                browser: new_browser(9),
            }),
        )
        .expect("signed up");
        let mut other = sign_in(2, true);
        other.user = user("jun");
        other.browser.before = Some(token(1));
        let done = ask(&bench, Oauth::SignInAgain(other));
        assert_eq!(done, Ok(Accepted::Done));
        assert_eq!([1, 2].map(|n| is_in(&bench, n)), [false, true]);
        assert_eq!(bench.count("oauth_session"), 0);
    }

    #[test]
    fn browsers_that_stayed_long_enough_are_tidied_away() {
        let bench = Bench::with(&["mina"]);
        for n in 1..4 {
            assert_eq!(
                ask(&bench, Oauth::SignInBrowser(sign_in(n, true))),
                Ok(Accepted::Done)
            );
        }
        bench.pass(Millis::hours(25));
        assert_eq!(
            ask(&bench, Oauth::SignInBrowser(sign_in(4, true))),
            Ok(Accepted::Done)
        );
        assert_eq!(bench.count("oauth_browser"), 1);
        assert_eq!(bench.count("device"), 1);
    }

    #[test]
    fn signing_up_makes_an_account_once() {
        let bench = Bench::new();
        let sign_up = |n| {
            Oauth::SignUpBrowser(SignUpBrowser {
                user: user("mina"),
                password: PasswordHash::from_phc("first".into()),
                browser: new_browser(n),
            })
        };
        assert_eq!(ask(&bench, sign_up(1)), Ok(Accepted::Done));
        assert_eq!(ask(&bench, sign_up(2)), Err(Rejected::UserInUse));
        assert_eq!([1, 2].map(|n| is_in(&bench, n)), [true, false]);
    }

    #[test]
    fn signing_out_ends_the_sessions_of_clients_that_need_the_person() {
        let bench = Bench::with_session();
        let out = || Oauth::SignOutBrowser(SignOutBrowser { cookie: token(1) });
        assert_eq!(ask(&bench, out()), Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_session") + bench.count("device"), 0);
        assert_eq!(
            bench.effects(),
            [Effect::SignedOut {
                client: client_id("shop"),
                to: "https://shop.example/out".into(),
                user: user("mina"),
                browser: Some(device("BROWSER1")),
                at: bench.now(),
            }]
        );
        assert_eq!(ask(&bench, out()), Ok(Accepted::Done), "again is no error");
        assert_eq!(bench.effects().len(), 1);
    }

    #[test]
    fn clients_that_work_while_the_person_is_away_go_on() {
        for scope in ["offline_access openid", "urn:matrix:client:device:ABC"] {
            let bench = Bench::with_session_for(scope);
            let out = Oauth::SignOutBrowser(SignOutBrowser { cookie: token(1) });
            assert_eq!(ask(&bench, out), Ok(Accepted::Done));
            assert_eq!(bench.count("oauth_session"), 1, "{scope}");
            assert_eq!(
                bench.effects().len(),
                1,
                "it learns that the browser was left"
            );
        }
    }
}
