//! Making, changing and removing clients.

use super::{Cx, Ruled, Verdict, done, refuse};
use crate::apply::ending;
use crate::command::oauth::{AdministerClient, ClientAct, ClientId, Done, Refused, RegisterClient};
use crate::command::{Accepted, Rejected};
use crate::state::account;
use crate::state::oauth::{add, client, session};
use bongsu_lane::Refusal;

const REGISTERED: &str = "registered clients";

pub(super) fn administer(cx: &mut Cx<'_>, command: &AdministerClient) -> Verdict {
    let Some(operator) = cx.actor().operator() else {
        return Err(Refusal::Rejected(Rejected::NotAllowed));
    };
    if let Some(by) = &command.by {
        let listed = account::listed(cx.db(), by)?;
        if !listed.is_some_and(|account| account.admin && !account.locked) {
            return Err(Refusal::Rejected(Rejected::NotAllowed));
        }
    }
    let id = &command.client;
    let verb = match &command.act {
        ClientAct::Add(new) => {
            if client::is_there(cx.db(), id)? {
                return Err(refuse(Refused::ClientInUse));
            }
            client::insert(cx.db(), id, new, false, cx.time())?;
            "client.add"
        }
        ClientAct::Rotate { secret, overlap } => {
            let found = client::get(cx.db(), id)?;
            let found = found.ok_or_else(|| refuse(Refused::NoSuchClient))?;
            if found.secret.is_none() {
                return Err(refuse(Refused::NoSecret));
            }
            client::set_secret(cx.db(), id, secret, cx.time() + *overlap)?;
            "client.rotate"
        }
        ClientAct::Remove => {
            remove(cx, id)?;
            "client.remove"
        }
    };
    let act = bongsu_audit::Act {
        who: command.by.as_ref().map_or(&operator, |by| by.as_str()),
        act: verb,
        target: id.as_str(),
        reason: command.reason.as_deref(),
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &act)?;
    Ok(Accepted::Done)
}

fn remove(cx: &mut Cx<'_>, id: &ClientId) -> Ruled<()> {
    let found = client::get(cx.db(), id)?;
    let found = found.ok_or_else(|| refuse(Refused::NoSuchClient))?;
    client::remove(cx.db(), id)?;
    if found.registered {
        add(cx.db(), REGISTERED, -1)?;
    }
    for session in session::all_of_client(cx.db(), id)? {
        ending::session(cx, &session)?;
    }
    Ok(())
}

pub(super) fn register(cx: &mut Cx<'_>, command: &RegisterClient) -> Verdict {
    if client::is_there(cx.db(), &command.client)? {
        return done(Done::Registered);
    }
    if command.new.trusted {
        return Err(Refusal::Rejected(Rejected::NotAllowed));
    }
    if add(cx.db(), REGISTERED, 1)? > i64::from(command.most) {
        return Err(refuse(Refused::TooManyClients));
    }
    client::insert(cx.db(), &command.client, &command.new, true, cx.time())?;
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{
        AdministerClient, ClientAct, Done, NewClient, Oauth, Refused, RegisterClient,
    };
    use crate::command::{Accepted, Rejected};
    use crate::effect::Effect;
    use crate::state::oauth::client;
    use crate::testing::{Bench, as_user, client_id, new_client, token};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    const DONE: Result<Accepted, Rejected> = Ok(Accepted::Done);

    fn administer(bench: &Bench, name: &str, act: ClientAct) -> Result<Accepted, Rejected> {
        let command = AdministerClient {
            by: None,
            reason: None,
            client: client_id(name),
            act,
        };
        bench.oauth(Actor::Operator, Oauth::Administer(command))
    }

    fn register(name: &str, trusted: bool, most: u32) -> Oauth {
        Oauth::RegisterClient(RegisterClient {
            client: client_id(name),
            new: NewClient {
                trusted,
                ..new_client()
            },
            most,
        })
    }

    #[test]
    fn a_client_is_made_changed_and_removed_with_its_sessions() {
        let bench = Bench::with_session();
        let in_use = Err(Rejected::Oauth(Refused::ClientInUse));
        assert_eq!(
            administer(&bench, "shop", ClientAct::Add(new_client())),
            in_use
        );
        let rotate = ClientAct::Rotate {
            secret: token(201),
            overlap: Millis::hours(1),
        };
        let none = Err(Rejected::Oauth(Refused::NoSecret));
        assert_eq!(administer(&bench, "shop", rotate.clone()), none);
        let with_secret = NewClient {
            secret: Some(token(200)),
            ..new_client()
        };
        assert_eq!(
            administer(&bench, "desk", ClientAct::Add(with_secret)),
            DONE
        );
        assert_eq!(administer(&bench, "desk", rotate), DONE);
        let desk = bench
            .look(|db| client::get(db, &client_id("desk")))
            .unwrap();
        assert_eq!(desk.secret, Some(token(201)));
        assert_eq!(
            desk.old_secret,
            Some((token(200), bench.now() + Millis::hours(1)))
        );
        assert_eq!(administer(&bench, "shop", ClientAct::Remove), DONE);
        assert_eq!(bench.count("oauth_session"), 0);
        assert_eq!(bench.count("oauth_revoked"), 1);
        let gone = Err(Rejected::Oauth(Refused::NoSuchClient));
        assert_eq!(administer(&bench, "shop", ClientAct::Remove), gone);
        assert_eq!(
            bench.effects(),
            Vec::<Effect>::new(),
            "who is gone is not told"
        );
        assert!(
            bench
                .look(bongsu_audit::check)
                .is_ok_and(|lines| lines >= 4)
        );
    }

    #[test]
    fn only_operators_administer_clients() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, None);
        let command = AdministerClient {
            by: None,
            reason: None,
            client: client_id("desk"),
            act: ClientAct::Add(new_client()),
        };
        for actor in [Actor::Nobody, as_user("mina", "PHONE")] {
            let refused = bench.oauth(actor, Oauth::Administer(command.clone()));
            assert_eq!(refused, Err(Rejected::NotAllowed));
        }
    }

    #[test]
    fn clients_that_register_themselves_are_few_and_never_trusted() {
        let bench = Bench::new();
        let ask = |command| bench.oauth(Actor::Nobody, command);
        assert_eq!(ask(register("a", true, 2)), Err(Rejected::NotAllowed));
        assert_eq!(ask(register("a", false, 2)), DONE);
        let again = Ok(Accepted::Oauth(Done::Registered));
        assert_eq!(ask(register("a", false, 2)), again);
        assert_eq!(ask(register("b", false, 2)), DONE);
        let full = Err(Rejected::Oauth(Refused::TooManyClients));
        assert_eq!(ask(register("c", false, 2)), full);
        assert_eq!(administer(&bench, "a", ClientAct::Remove), DONE);
        assert_eq!(ask(register("c", false, 2)), DONE);
    }
}
