//! Ending one session; its device goes with it.

use super::{Cx, Verdict, ending, owner, reject};
use crate::command::{Accepted, Rejected, SignOut};

pub(super) fn apply(cx: &mut Cx<'_>, command: &SignOut) -> Verdict {
    owner::account_of(cx, &command.user)?;
    if !ending::device(cx, &command.user, &command.device)? {
        return Err(reject(Rejected::NoSuchDevice));
    }
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Rejected, SignOut};
    use crate::testing::{Bench, as_user, device, token, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn sign_out(name: &str, on: &str) -> Command {
        Command::SignOut(SignOut {
            user: user(name),
            device: device(on),
        })
    }

    #[test]
    fn signing_out_ends_that_session_alone() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, Some(101));
        bench.sign_in("mina", "DESK", 2, None);
        let phone = as_user("mina", "PHONE");
        assert_eq!(
            bench.ask(phone.clone(), sign_out("mina", "PHONE")),
            Ok(Accepted::Done)
        );
        assert_eq!(bench.holder(token(1)), None);
        assert!(bench.holder(token(2)).is_some());
        assert_eq!(bench.count("device"), 1);
        assert_eq!(bench.count("refresh_token"), 0);
        let again = bench.ask(phone, sign_out("mina", "PHONE"));
        assert_eq!(again, Err(Rejected::SessionEnded));
    }

    #[test]
    fn nobody_ends_somebody_elses_session() {
        let bench = Bench::with(&["mina", "juno"]);
        bench.sign_in("mina", "PHONE", 1, None);
        bench.sign_in("juno", "PHONE", 2, None);
        for actor in [as_user("juno", "PHONE"), Actor::Nobody] {
            let refused = bench.ask(actor, sign_out("mina", "PHONE"));
            assert_eq!(refused, Err(Rejected::NotAllowed));
        }
        assert!(bench.holder(token(1)).is_some());
    }

    #[test]
    fn a_session_that_expired_by_the_logs_time_asks_for_nothing() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, Some(101));
        bench.pass(Millis::hours(1));
        let late = bench.ask(as_user("mina", "PHONE"), sign_out("mina", "PHONE"));
        assert_eq!(late, Err(Rejected::SessionExpired));
    }
}
