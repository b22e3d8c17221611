//! Signing in with a password that the gateway has verified.

use super::{Cx, Verdict, proof, reject, session};
use crate::command::{Accepted, Rejected, SignIn};
use crate::state::{account, restricted};

pub(super) fn apply(cx: &mut Cx<'_>, command: &SignIn) -> Verdict {
    let account = account::get(cx.db(), &command.user)?;
    if let Some(denial) = proof::judge(cx, &command.user, account.as_ref(), &command.proof)? {
        return Ok(Accepted::Denied(denial));
    }
    // Only who knows the password learns that the account is locked.
    if restricted::get(cx.db(), &command.user)?.locked {
        return Err(reject(Rejected::Locked));
    }
    session::begin(cx, &command.user, &command.session)?;
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Denial, Rejected, SignIn};
    use crate::testing::{Bench, proof, session, token, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    const WRONG: Result<Accepted, Rejected> = Ok(Accepted::Denied(Denial::WrongPassword));
    const DONE: Result<Accepted, Rejected> = Ok(Accepted::Done);

    fn sign_in(name: &str, generation: u32, matched: bool, token: u8) -> Command {
        Command::SignIn(SignIn {
            user: user(name),
            proof: proof(generation, matched),
            session: session("PHONE", token),
        })
    }

    fn locked(seconds: i64) -> Result<Accepted, Rejected> {
        Ok(Accepted::Denied(Denial::Locked {
            retry_after: Millis::seconds(seconds),
        }))
    }

    #[test]
    fn the_right_password_begins_a_session_and_ends_the_one_before_on_that_device() {
        let bench = Bench::with(&["mina"]);
        let ask = |command| bench.ask(Actor::Nobody, command);
        assert_eq!(ask(sign_in("mina", 1, true, 1)), DONE);
        assert_eq!(ask(sign_in("mina", 1, true, 2)), DONE);
        assert_eq!(bench.holder(token(1)), None);
        assert_eq!(bench.holder(token(2)), Some((user("mina"), "PHONE".into())));
    }

    #[test]
    fn what_does_not_open_an_account_begins_nothing() {
        let bench = Bench::with(&["mina", "gone"]);
        bench.deactivate("gone");
        let stale = Ok(Accepted::Denied(Denial::Stale));
        for (name, generation, matched, expect) in [
            ("mina", 1, false, WRONG),
            ("mina", 2, true, stale),
            ("nobody", 0, true, WRONG),
            ("gone", 1, true, WRONG),
        ] {
            let command = sign_in(name, generation, matched, 1);
            assert_eq!(bench.ask(Actor::Nobody, command), expect, "{name}");
            assert_eq!(bench.holder(token(1)), None, "{name}");
        }
    }

    #[test]
    fn five_failures_lock_an_account_even_for_the_right_password() {
        let bench = Bench::with(&["mina"]);
        let ask = |matched| bench.ask(Actor::Nobody, sign_in("mina", 1, matched, 1));
        for _ in 0..5 {
            assert_eq!(ask(false), WRONG);
        }
        assert_eq!(ask(true), locked(30));
        bench.pass(Millis::seconds(29));
        assert_eq!(
            ask(false),
            locked(1),
            "a try during the lock does not prolong it"
        );
        bench.pass(Millis::seconds(1));
        assert_eq!(ask(false), WRONG);
        assert_eq!(ask(true), locked(60));
        bench.pass(Millis::seconds(60));
        assert_eq!(ask(true), DONE);
        assert_eq!(ask(false), WRONG);
        assert_eq!(ask(true), DONE, "success forgets the failures before it");
    }

    #[test]
    fn fifty_failures_lock_a_network_for_every_account() {
        let bench = Bench::with(&["mina"]);
        for n in 0..50 {
            let command = sign_in(&format!("guess{n}"), 0, false, 1);
            assert_eq!(bench.ask(Actor::Nobody, command), WRONG);
        }
        let ask = |command| bench.ask(Actor::Nobody, command);
        assert_eq!(ask(sign_in("mina", 1, true, 1)), locked(30));
        let mut elsewhere = sign_in("mina", 1, true, 1);
        if let Command::SignIn(command) = &mut elsewhere {
            command.proof.address = "198.51.100.7".into();
        }
        assert_eq!(ask(elsewhere), DONE);
    }

    #[test]
    fn counters_of_long_ago_are_removed() {
        let bench = Bench::new();
        for n in 0..40 {
            let command = sign_in(&format!("guess{n}"), 0, false, 1);
            assert_eq!(bench.ask(Actor::Nobody, command), WRONG);
        }
        assert_eq!(bench.count("lockout"), 41);
        bench.pass(Millis::minutes(31));
        for n in 0..6 {
            let command = sign_in(&format!("later{n}"), 0, false, 1);
            assert_eq!(bench.ask(Actor::Nobody, command), WRONG);
        }
        assert_eq!(bench.count("lockout"), 7);
    }
}
