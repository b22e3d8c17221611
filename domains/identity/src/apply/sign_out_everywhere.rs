//! Ending all sessions of an account; all its devices go with them.

use super::{Cx, Verdict, ending, owner};
use crate::command::{Accepted, SignOutEverywhere};
use crate::state::device;
use bongsu_base::{DeviceId, UserId};

pub(super) fn apply(cx: &mut Cx<'_>, command: &SignOutEverywhere) -> Verdict {
    owner::account_of(cx, &command.user)?;
    end_all(cx, &command.user, None)?;
    Ok(Accepted::Done)
}

/// Ends all sessions of `user` but that on `spared`.
pub(super) fn end_all(
    cx: &mut Cx<'_>,
    user: &UserId,
    spared: Option<&DeviceId>,
) -> rusqlite::Result<()> {
    for found in device::list(cx.db(), user)? {
        if spared != Some(&found.device) {
            ending::device(cx, user, &found.device)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, SignOutEverywhere};
    use crate::testing::{Bench, as_user, token, user};

    #[test]
    fn all_sessions_of_one_account_end() {
        let bench = Bench::with(&["mina", "juno"]);
        bench.sign_in("mina", "PHONE", 1, Some(101));
        bench.sign_in("mina", "DESK", 2, None);
        bench.sign_in("juno", "PHONE", 3, None);
        let command = Command::SignOutEverywhere(SignOutEverywhere { user: user("mina") });
        assert_eq!(
            bench.ask(as_user("mina", "DESK"), command),
            Ok(Accepted::Done)
        );
        let live = [1, 2, 3].map(|n| bench.holder(token(n)).is_some());
        assert_eq!(live, [false, false, true]);
    }
}
