//! Ending the sessions on some devices, which may include the one that asks.

use super::{Cx, Verdict, ending, owner, proof};
use crate::command::{Accepted, DeleteDevices};

pub(super) fn apply(cx: &mut Cx<'_>, command: &DeleteDevices) -> Verdict {
    let user = &command.user;
    let account = owner::account_of(cx, user)?;
    let proof = command.proof.as_ref();
    if let Some(denial) = proof::judge_unless_operator(cx, user, &account, proof)? {
        return Ok(Accepted::Denied(denial));
    }
    for id in &command.devices {
        ending::device(cx, user, id)?;
    }
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, DeleteDevices, Denial};
    use crate::testing::{Bench, as_user, device, proof, token, user};

    #[test]
    fn the_named_devices_end_with_their_tokens() {
        let bench = Bench::with(&["mina", "juno"]);
        bench.sign_in("mina", "PHONE", 1, None);
        bench.sign_in("mina", "DESK", 2, Some(102));
        bench.sign_in("juno", "DESK", 3, None);
        let delete = |matched| {
            let command = DeleteDevices {
                user: user("mina"),
                devices: vec![device("DESK"), device("NONE")],
                proof: Some(proof(1, matched)),
            };
            bench.ask(as_user("mina", "PHONE"), Command::DeleteDevices(command))
        };
        assert_eq!(delete(false), Ok(Accepted::Denied(Denial::WrongPassword)));
        assert!(bench.holder(token(2)).is_some());
        assert_eq!(delete(true), Ok(Accepted::Done));
        let live = [1, 2, 3].map(|n| bench.holder(token(n)).is_some());
        assert_eq!(live, [true, false, true]);
        assert_eq!(bench.count("refresh_token"), 0);
    }
}
