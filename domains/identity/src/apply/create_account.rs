//! Making an account. A name once given is never given again, so that what was said under it stays the
//! first one's.

use super::{Cx, Verdict, reject, session};
use crate::command::{Accepted, CreateAccount, Rejected};
use crate::secret::PasswordHash;
use crate::state::{account, profile};
use bongsu_base::UserId;
use bongsu_lane::Actor;
use serde_json::Value;

pub(super) fn apply(cx: &mut Cx<'_>, command: &CreateAccount) -> Verdict {
    let trusted = *cx.actor() == Actor::Platform || cx.actor().operator().is_some();
    if command.admin && !trusted {
        return Err(reject(Rejected::NotAllowed));
    }
    if account::get(cx.db(), &command.user)?.is_some() {
        return Err(reject(Rejected::UserInUse));
    }
    let password = command.password.as_ref();
    begin(cx, &command.user, password, command.admin)?;
    if let Some(session) = &command.session {
        session::begin(cx, &command.user, session)?;
    }
    Ok(Accepted::Done)
}

/// Makes the account. Whoever has a password is shown by the name they chose until they choose another; releases that know no
/// more than behaviour 2 showed nothing.
pub(super) fn begin(
    cx: &Cx<'_>,
    user: &UserId,
    password: Option<&PasswordHash>,
    admin: bool,
) -> rusqlite::Result<()> {
    account::insert(cx.db(), user, password, admin, cx.time())?;
    if cx.version() >= 3 && password.is_some() {
        let name = Value::from(user.localpart()).to_string();
        profile::set(cx.db(), user, "displayname", &name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Rejected};
    use crate::state::profile;
    use crate::testing::{Bench, as_user, create, session, token, user};
    use bongsu_lane::Actor;

    #[test]
    fn an_account_begins_with_its_first_session() {
        let bench = Bench::new();
        let mut command = create("mina");
        command.session = Some(session("PHONE", 1));
        let done = bench.ask(Actor::Nobody, Command::CreateAccount(command));
        assert_eq!(done, Ok(Accepted::Done));
        assert_eq!(bench.holder(token(1)), Some((user("mina"), "PHONE".into())));
    }

    #[test]
    fn whoever_has_a_password_is_shown_by_the_name_they_chose() {
        let shown = |behaviour: u32, password: bool| {
            let bench = Bench::of_behaviour(behaviour);
            let mut command = create("mina");
            command.password = command.password.filter(|_| password);
            let done = bench.ask(Actor::Nobody, Command::CreateAccount(command));
            assert_eq!(done, Ok(Accepted::Done));
            bench.look(|db| profile::get(db, &user("mina"), "displayname"))
        };
        assert_eq!(shown(3, true).as_deref(), Some("\"mina\""));
        assert_eq!(shown(3, false), None, "a guest");
        assert_eq!(shown(2, true), None);
    }

    #[test]
    fn a_name_is_given_once_even_after_its_account_ended() {
        let bench = Bench::with(&["mina"]);
        let again = || bench.ask(Actor::Nobody, Command::CreateAccount(create("mina")));
        assert_eq!(again(), Err(Rejected::UserInUse));
        bench.deactivate("mina");
        assert_eq!(again(), Err(Rejected::UserInUse));
    }

    #[test]
    fn the_operator_alone_makes_administrators() {
        let bench = Bench::with(&["mina"]);
        let mut command = create("juno");
        command.admin = true;
        let command = Command::CreateAccount(command);
        let refused = bench.ask(as_user("mina", "PHONE"), command.clone());
        assert_eq!(refused, Err(Rejected::NotAllowed));
        assert_eq!(bench.ask(Actor::Operator, command), Ok(Accepted::Done));
    }
}
