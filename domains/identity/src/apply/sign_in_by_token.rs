//! Signing in with a token that was made for it.

use super::{Cx, Verdict, reject, session};
use crate::command::{Accepted, Rejected, SignInByToken};
use crate::state::{account, login_token, restricted};

pub(super) fn apply(cx: &mut Cx<'_>, command: &SignInByToken) -> Verdict {
    let found = login_token::get(cx.db(), &command.presented)?;
    let good = found.filter(|found| found.until > cx.time());
    let token = good.ok_or_else(|| reject(Rejected::UnknownLoginToken))?;
    let account = account::get(cx.db(), &token.user)?;
    let as_then =
        |found: &account::Account| !found.deactivated && found.generation == token.generation;
    if !account.as_ref().is_some_and(as_then) {
        return Err(reject(Rejected::UnknownLoginToken));
    }
    if restricted::get(cx.db(), &token.user)?.locked {
        return Err(reject(Rejected::Locked));
    }
    session::begin(cx, &token.user, &command.session)?;
    login_token::remove(cx.db(), &command.presented)?;
    Ok(Accepted::SignedIn(token.user))
}

#[cfg(test)]
mod tests {
    use crate::command::{
        Accepted, Act, Administer, Command, Denial, LOGIN_TOKEN_LASTS, PermitSignIn, Rejected,
        SetPassword, SignInByToken,
    };
    use crate::secret::PasswordHash;
    use crate::testing::{Bench, as_user, proof, session, token, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    const UNKNOWN: Result<Accepted, Rejected> = Err(Rejected::UnknownLoginToken);

    fn permit(matched: bool, n: u8) -> Command {
        Command::PermitSignIn(PermitSignIn {
            user: user("mina"),
            proof: proof(1, matched),
            token: token(n),
        })
    }

    /// Mina on her phone, and a token that lets another device in.
    fn bench() -> Bench {
        let bench = Bench::with(&["mina", "jun"]);
        bench.sign_in("mina", "PHONE", 1, None);
        let asked = bench.ask(as_user("mina", "PHONE"), permit(true, 50));
        assert_eq!(asked, Ok(Accepted::Done));
        bench
    }

    fn come(bench: &Bench, presented: u8, access: u8) -> Result<Accepted, Rejected> {
        let command = SignInByToken {
            presented: token(presented),
            session: session("DESK", access),
        };
        bench.ask(Actor::Nobody, Command::SignInByToken(command))
    }

    #[test]
    fn a_token_opens_the_account_once() {
        let bench = bench();
        assert_eq!(come(&bench, 51, 2), UNKNOWN);
        let begun = Ok(Accepted::SignedIn(user("mina")));
        assert_eq!(come(&bench, 50, 2), begun);
        assert_eq!(bench.holder(token(2)), Some((user("mina"), "DESK".into())));
        assert!(bench.holder(token(1)).is_some(), "the phone stays");
        assert_eq!(come(&bench, 50, 3), UNKNOWN);
        assert_eq!(bench.holder(token(3)), None);
    }

    #[test]
    fn a_token_is_only_given_for_the_password_of_whoever_asks() {
        let bench = bench();
        let wrong = bench.ask(as_user("mina", "PHONE"), permit(false, 51));
        assert_eq!(wrong, Ok(Accepted::Denied(Denial::WrongPassword)));
        bench.sign_in("jun", "PHONE", 2, None);
        let theirs = bench.ask(as_user("jun", "PHONE"), permit(true, 51));
        assert_eq!(theirs, Err(Rejected::NotAllowed));
        let nobody = bench.ask(Actor::Nobody, permit(true, 51));
        assert_eq!(nobody, Err(Rejected::NotAllowed));
        assert_eq!(come(&bench, 51, 3), UNKNOWN);
    }

    #[test]
    fn a_token_lasts_two_minutes_and_is_forgotten() {
        let bench = bench();
        bench.pass(Millis(LOGIN_TOKEN_LASTS.0 - 1));
        let again = bench.ask(as_user("mina", "PHONE"), permit(true, 51));
        assert_eq!(again, Ok(Accepted::Done));
        bench.pass(Millis(1));
        assert_eq!(come(&bench, 50, 2), UNKNOWN);
        let last = bench.ask(as_user("mina", "PHONE"), permit(true, 52));
        assert_eq!(last, Ok(Accepted::Done));
        assert_eq!(bench.count("login_token"), 2);
    }

    #[test]
    fn a_token_ends_with_the_password_and_with_the_account() {
        let changed = bench();
        let set = SetPassword {
            user: user("mina"),
            proof: Some(proof(1, true)),
            password: PasswordHash::from_phc("new".into()),
            logout_devices: false,
        };
        let asked = changed.ask(as_user("mina", "PHONE"), Command::SetPassword(set));
        assert_eq!(asked, Ok(Accepted::Done));
        assert_eq!(come(&changed, 50, 2), UNKNOWN);
        let gone = bench();
        gone.deactivate("mina");
        assert_eq!(come(&gone, 50, 2), UNKNOWN);
    }

    #[test]
    fn a_locked_account_is_not_opened() {
        let bench = bench();
        let lock = Administer {
            by: None,
            reason: None,
            act: Act::Lock {
                user: user("mina"),
                locked: true,
            },
        };
        let asked = bench.ask(Actor::Operator, Command::Administer(lock));
        assert_eq!(asked, Ok(Accepted::Done));
        assert_eq!(come(&bench, 50, 2), Err(Rejected::Locked));
    }
}
