//! What operators do with accounts. Each act is written into the audit log.

use super::sign_out_everywhere::end_all;
use super::{Cx, Verdict, create_account, deactivate, reject};
use crate::command::{Accepted, Act, Administer, Rejected};
use crate::state::account;
use crate::state::restricted::{self, Restricted};
use bongsu_base::UserId;
use bongsu_lane::Refusal;

type Ruled<T> = Result<T, Refusal<Rejected>>;

pub(super) fn apply(cx: &mut Cx<'_>, command: &Administer) -> Verdict {
    let Some(operator) = cx.actor().operator() else {
        return Err(reject(Rejected::NotAllowed));
    };
    if let Some(by) = &command.by {
        need_administrator(cx, by)?;
    }
    let user = subject(&command.act);
    if !matches!(command.act, Act::CreateAccount { .. }) {
        need_account(cx, user)?;
        spare_administrators(cx, command.by.as_ref(), &command.act)?;
    }
    match &command.act {
        Act::CreateAccount {
            password, admin, ..
        } => {
            if account::get(cx.db(), user)?.is_some() {
                return Err(reject(Rejected::UserInUse));
            }
            create_account::begin(cx, user, Some(password), *admin)?;
        }
        Act::SetPassword {
            password, sign_out, ..
        } => {
            account::set_password(cx.db(), user, password)?;
            if *sign_out {
                end_all(cx, user, None)?;
            }
        }
        Act::SignOut(_) => end_all(cx, user, None)?,
        Act::Lock { locked, .. } => {
            let before = restricted::get(cx.db(), user)?;
            let locked = *locked;
            restricted::set(cx.db(), user, Restricted { locked, ..before })?;
        }
        Act::Suspend { suspended, .. } => {
            let before = restricted::get(cx.db(), user)?;
            let suspended = *suspended;
            let after = Restricted {
                suspended,
                ..before
            };
            restricted::set(cx.db(), user, after)?;
        }
        Act::Deactivate { erase, .. } => {
            restricted::set(cx.db(), user, Restricted::default())?;
            deactivate::end(cx, user, *erase)?;
        }
        Act::SetAdmin { admin, .. } => account::set_admin(cx.db(), user, *admin)?,
    }
    note(cx, (&operator, command), user)?;
    Ok(Accepted::Done)
}

fn need_administrator(cx: &Cx<'_>, by: &UserId) -> Ruled<()> {
    match account::listed(cx.db(), by)? {
        Some(account) if account.admin && !account.locked => Ok(()),
        _ => Err(reject(Rejected::NotAllowed)),
    }
}

fn need_account(cx: &Cx<'_>, user: &UserId) -> Ruled<()> {
    match account::get(cx.db(), user)? {
        None => Err(reject(Rejected::NoSuchAccount)),
        Some(account) if account.deactivated => Err(reject(Rejected::Deactivated)),
        Some(_) => Ok(()),
    }
}

/// An administrator takes no power from another, nor from themselves by mistake (Matrix v1.19,
/// administrative locking and suspending); the operator can.
fn spare_administrators(cx: &Cx<'_>, by: Option<&UserId>, act: &Act) -> Ruled<()> {
    let harmless = match act {
        Act::Lock { locked, .. } => !locked,
        Act::Suspend { suspended, .. } => !suspended,
        Act::SetAdmin { admin, .. } => *admin,
        Act::CreateAccount { .. } | Act::SignOut(_) => true,
        Act::SetPassword { .. } | Act::Deactivate { .. } => false,
    };
    if by.is_none() || harmless {
        return Ok(());
    }
    match account::listed(cx.db(), subject(act))? {
        Some(account) if account.admin => Err(reject(Rejected::Administrator)),
        _ => Ok(()),
    }
}

/// Whose account it is about.
const fn subject(act: &Act) -> &UserId {
    match act {
        Act::CreateAccount { user, .. }
        | Act::SetPassword { user, .. }
        | Act::SignOut(user)
        | Act::Lock { user, .. }
        | Act::Suspend { user, .. }
        | Act::Deactivate { user, .. }
        | Act::SetAdmin { user, .. } => user,
    }
}

const fn verb(act: &Act) -> &'static str {
    match act {
        Act::CreateAccount { admin: false, .. } => "user.create",
        Act::CreateAccount { admin: true, .. } => "user.create-admin",
        Act::SetPassword { .. } => "user.reset-password",
        Act::SignOut(_) => "user.sign-out",
        Act::Lock { locked: true, .. } => "user.lock",
        Act::Lock { locked: false, .. } => "user.unlock",
        Act::Suspend {
            suspended: true, ..
        } => "user.suspend",
        Act::Suspend {
            suspended: false, ..
        } => "user.unsuspend",
        Act::Deactivate { erase: false, .. } => "user.deactivate",
        Act::Deactivate { erase: true, .. } => "user.erase",
        Act::SetAdmin { admin: true, .. } => "user.make-admin",
        Act::SetAdmin { admin: false, .. } => "user.unmake-admin",
    }
}

fn note(
    cx: &mut Cx<'_>,
    (operator, command): (&str, &Administer),
    user: &UserId,
) -> rusqlite::Result<()> {
    let act = bongsu_audit::Act {
        who: command.by.as_ref().map_or(operator, |by| by.as_str()),
        act: verb(&command.act),
        target: user.as_str(),
        reason: command.reason.as_deref(),
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &act)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Act, Administer, Command, Rejected, SignIn};
    use crate::secret::PasswordHash;
    use crate::state::account;
    use crate::testing::{Bench, as_user, proof, session, token, user};
    use bongsu_lane::Actor;

    fn ask(bench: &Bench, by: Option<&str>, act: Act) -> Result<Accepted, Rejected> {
        let command = Administer {
            by: by.map(user),
            reason: Some("asked to".into()),
            act,
        };
        bench.ask(Actor::Operator, Command::Administer(command))
    }

    fn admin(name: &str) -> Act {
        Act::SetAdmin {
            user: user(name),
            admin: true,
        }
    }

    fn lock(name: &str, locked: bool) -> Act {
        Act::Lock {
            user: user(name),
            locked,
        }
    }

    const DONE: Result<Accepted, Rejected> = Ok(Accepted::Done);

    #[test]
    fn only_operators_and_administrators_administer() {
        let bench = Bench::with(&["mina", "juno"]);
        bench.sign_in("mina", "PHONE", 1, None);
        let command = Command::Administer(Administer {
            by: None,
            reason: None,
            act: lock("juno", true),
        });
        let refused = bench.ask(as_user("mina", "PHONE"), command);
        assert_eq!(refused, Err(Rejected::NotAllowed));
        let by_mina = ask(&bench, Some("mina"), lock("juno", true));
        assert_eq!(by_mina, Err(Rejected::NotAllowed));
        assert_eq!(ask(&bench, None, admin("mina")), DONE);
        assert_eq!(ask(&bench, Some("mina"), lock("juno", true)), DONE);
        assert_eq!(ask(&bench, None, lock("mina", true)), DONE);
        let locked = ask(&bench, Some("mina"), lock("juno", false));
        assert_eq!(locked, Err(Rejected::NotAllowed));
    }

    #[test]
    fn administrators_spare_each_other_and_the_operator_nobody() {
        let bench = Bench::with(&["mina", "juno"]);
        for name in ["mina", "juno"] {
            assert_eq!(ask(&bench, None, admin(name)), DONE);
        }
        let erase = || Act::Deactivate {
            user: user("juno"),
            erase: true,
        };
        for act in [lock("juno", true), lock("mina", true), erase()] {
            let refused = ask(&bench, Some("mina"), act);
            assert_eq!(refused, Err(Rejected::Administrator));
        }
        assert_eq!(ask(&bench, None, erase()), DONE);
        let again = ask(&bench, None, lock("juno", true));
        assert_eq!(again, Err(Rejected::Deactivated));
        let nobody = ask(&bench, None, lock("nobody", true));
        assert_eq!(nobody, Err(Rejected::NoSuchAccount));
    }

    #[test]
    fn a_locked_account_keeps_its_sessions_and_begins_none() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, None);
        assert_eq!(ask(&bench, None, lock("mina", true)), DONE);
        assert!(bench.holder(token(1)).is_some());
        let sign_in = |matched| {
            let command = SignIn {
                user: user("mina"),
                proof: proof(1, matched),
                session: session("DESK", 2),
            };
            bench.ask(Actor::Nobody, Command::SignIn(command))
        };
        assert_eq!(sign_in(true), Err(Rejected::Locked));
        assert!(matches!(sign_in(false), Ok(Accepted::Denied(_))));
        assert_eq!(ask(&bench, None, lock("mina", false)), DONE);
        assert_eq!(sign_in(true), DONE);
        assert_eq!(bench.count("restricted"), 0);
    }

    #[test]
    fn every_act_is_in_the_audit_log_and_a_refused_one_is_not() {
        let bench = Bench::with(&["mina"]);
        assert_eq!(ask(&bench, None, admin("mina")), DONE);
        let create = Act::CreateAccount {
            user: user("juno"),
            password: PasswordHash::from_phc("first".into()),
            admin: false,
        };
        assert_eq!(ask(&bench, Some("mina"), create.clone()), DONE);
        let taken = ask(&bench, Some("mina"), create);
        assert_eq!(taken, Err(Rejected::UserInUse));
        let suspend = Act::Suspend {
            user: user("juno"),
            suspended: true,
        };
        assert_eq!(ask(&bench, Some("mina"), suspend), DONE);
        assert!(
            bench
                .look(|db| account::listed(db, &user("juno")))
                .is_some_and(|a| a.suspended)
        );
        let lines = bench.look(|db| bongsu_audit::page(db, i64::MAX, 10));
        let told: Vec<_> = lines
            .iter()
            .map(|line| (&*line.who, &*line.act, &*line.target))
            .collect();
        assert_eq!(
            told,
            [
                ("@mina:bongsu.test", "user.suspend", "@juno:bongsu.test"),
                ("@mina:bongsu.test", "user.create", "@juno:bongsu.test"),
                ("operator", "user.make-admin", "@mina:bongsu.test"),
            ]
        );
        assert_eq!(lines[0].reason.as_deref(), Some("asked to"));
        assert_eq!(bench.look(bongsu_audit::check), Ok(3));
    }
}
