//! Changing a password.

use super::sign_out_everywhere::end_all;
use super::{Cx, Verdict, owner, proof};
use crate::command::{Accepted, SetPassword};
use crate::state::account;
use bongsu_lane::Actor;

pub(super) fn apply(cx: &mut Cx<'_>, command: &SetPassword) -> Verdict {
    let user = &command.user;
    let found = owner::account_of(cx, user)?;
    let proof = command.proof.as_ref();
    if let Some(denial) = proof::judge_unless_operator(cx, user, &found, proof)? {
        return Ok(Accepted::Denied(denial));
    }
    account::set_password(cx.db(), user, &command.password)?;
    if command.logout_devices {
        let asking = match cx.actor() {
            Actor::User { device, .. } => Some(device.clone()),
            _ => None,
        };
        end_all(cx, user, asking.as_ref())?;
    }
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Denial, Proof, Rejected, SetPassword};
    use crate::secret::PasswordHash;
    use crate::state::account;
    use crate::testing::{Bench, as_user, proof, token, user};
    use bongsu_lane::Actor;

    fn set(proof: Option<Proof>, logout_devices: bool) -> Command {
        let password = PasswordHash::from_phc("new".into());
        Command::SetPassword(SetPassword {
            user: user("mina"),
            proof,
            password,
            logout_devices,
        })
    }

    fn bench() -> Bench {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, None);
        bench.sign_in("mina", "DESK", 2, None);
        bench
    }

    fn generation(bench: &Bench) -> u32 {
        let account = bench.look(|db| account::get(db, &user("mina")));
        account.expect("was made").generation
    }

    #[test]
    fn the_session_that_asks_stays_and_the_others_end_if_wanted() {
        for (logout_devices, expect) in [(true, [true, false]), (false, [true, true])] {
            let bench = bench();
            let command = set(Some(proof(1, true)), logout_devices);
            assert_eq!(
                bench.ask(as_user("mina", "PHONE"), command),
                Ok(Accepted::Done)
            );
            assert_eq!([1, 2].map(|n| bench.holder(token(n)).is_some()), expect);
            assert_eq!(generation(&bench), 2);
        }
    }

    #[test]
    fn without_the_old_password_nothing_changes() {
        let bench = bench();
        for (proof, denial) in [
            (None, Denial::WrongPassword),
            (Some(proof(1, false)), Denial::WrongPassword),
            (Some(proof(7, true)), Denial::Stale),
        ] {
            let refused = bench.ask(as_user("mina", "PHONE"), set(proof, true));
            assert_eq!(refused, Ok(Accepted::Denied(denial)));
        }
        assert_eq!(generation(&bench), 1);
        assert_eq!(
            bench.count("lockout"),
            2,
            "a wrong one counts for account and network"
        );
    }

    #[test]
    fn the_operator_needs_no_old_password() {
        let bench = bench();
        assert_eq!(
            bench.ask(Actor::Nobody, set(None, true)),
            Err(Rejected::NotAllowed)
        );
        assert_eq!(
            bench.ask(Actor::Operator, set(None, true)),
            Ok(Accepted::Done)
        );
        assert_eq!(
            [1, 2].map(|n| bench.holder(token(n)).is_some()),
            [false, false]
        );
    }
}
