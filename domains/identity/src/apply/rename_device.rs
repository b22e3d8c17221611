//! Renaming a device.

use super::{Cx, Verdict, owner, reject, session};
use crate::command::{Accepted, Rejected, RenameDevice};
use crate::state::device;

pub(super) fn apply(cx: &mut Cx<'_>, command: &RenameDevice) -> Verdict {
    owner::account_of(cx, &command.user)?;
    let name = command.display_name.as_deref();
    may_be_called(name).map_err(reject)?;
    if !device::rename(cx.db(), &command.user, &command.device, name)? {
        return Err(reject(Rejected::NoSuchDevice));
    }
    Ok(Accepted::Done)
}

/// Whether a device may have this name. A gateway asks before it appends.
pub(crate) fn may_be_called(name: Option<&str>) -> Result<(), Rejected> {
    if name.is_some_and(|name| name.len() > session::MAX_DEVICE_NAME) {
        return Err(Rejected::DeviceName);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Rejected, RenameDevice};
    use crate::state::device;
    use crate::testing::{self, Bench, as_user, user};

    fn rename(bench: &Bench, on: &str, name: &str) -> Result<Accepted, Rejected> {
        let command = RenameDevice {
            user: user("mina"),
            device: testing::device(on),
            display_name: Some(name.into()),
        };
        bench.ask(as_user("mina", "PHONE"), Command::RenameDevice(command))
    }

    #[test]
    fn a_device_takes_its_new_name() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, None);
        assert_eq!(rename(&bench, "PHONE", "Pocket"), Ok(Accepted::Done));
        let found = bench.look(|db| device::get(db, &user("mina"), &testing::device("PHONE")));
        assert_eq!(
            found.and_then(|device| device.display_name),
            Some("Pocket".into())
        );
        assert_eq!(rename(&bench, "OTHER", "x"), Err(Rejected::NoSuchDevice));
        assert_eq!(
            rename(&bench, "PHONE", &"x".repeat(256)),
            Err(Rejected::DeviceName)
        );
    }
}
