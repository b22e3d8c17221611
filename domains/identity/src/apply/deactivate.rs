//! Ending an account for good: its sessions, its password and its profile go; its name stays taken.

use super::sign_out_everywhere::end_all;
use super::{Cx, Verdict, owner, proof};
use crate::command::{Accepted, Deactivate};
use crate::effect::Effect;
use crate::state::oauth::consent;
use crate::state::{account, profile};
use bongsu_base::UserId;

pub(super) fn apply(cx: &mut Cx<'_>, command: &Deactivate) -> Verdict {
    let user = &command.user;
    let found = owner::account_of(cx, user)?;
    let proof = command.proof.as_ref();
    if let Some(denial) = proof::judge_unless_operator(cx, user, &found, proof)? {
        return Ok(Accepted::Denied(denial));
    }
    end(cx, user, command.erase)?;
    Ok(Accepted::Done)
}

/// Ends the account of `user`.
pub(super) fn end(cx: &mut Cx<'_>, user: &UserId, erase: bool) -> rusqlite::Result<()> {
    end_all(cx, user, None)?;
    consent::clear(cx.db(), user)?;
    profile::clear(cx.db(), user)?;
    account::deactivate(cx.db(), user, cx.time())?;
    cx.effect(&Effect::Deactivated {
        user: user.clone(),
        erase,
    })
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Deactivate, Denial, Proof, Rejected};
    use crate::effect::Effect;
    use crate::testing::{Bench, as_user, proof, token, user};
    use bongsu_lane::Actor;

    fn deactivate(proof: Option<Proof>) -> Command {
        Command::Deactivate(Deactivate {
            user: user("mina"),
            proof,
            erase: true,
        })
    }

    #[test]
    fn an_account_ends_with_all_that_belongs_to_it() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, Some(101));
        let phone = || as_user("mina", "PHONE");
        let denied = bench.ask(phone(), deactivate(Some(proof(1, false))));
        assert_eq!(denied, Ok(Accepted::Denied(Denial::WrongPassword)));
        assert_eq!(bench.effects(), []);
        let done = bench.ask(phone(), deactivate(Some(proof(1, true))));
        assert_eq!(done, Ok(Accepted::Done));
        assert_eq!(bench.holder(token(1)), None);
        for table in ["device", "access_token", "refresh_token", "profile"] {
            assert_eq!(bench.count(table), 0, "{table}");
        }
        assert_eq!(
            bench.effects(),
            [Effect::Deactivated {
                user: user("mina"),
                erase: true
            }]
        );
        let again = bench.ask(Actor::Operator, deactivate(None));
        assert_eq!(again, Err(Rejected::Deactivated));
    }
}
