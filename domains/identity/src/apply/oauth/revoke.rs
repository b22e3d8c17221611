//! Ending a client's session: by the client itself (RFC 7009), or by the person.

use super::{Cx, Verdict, signed_in};
use crate::apply::{ending, reject};
use crate::command::oauth::{EndSession, Revoke};
use crate::command::{Accepted, Rejected};
use crate::state::oauth::session;

/// What is not the client's is left alone, and no error (RFC 7009, section 2.2).
pub(super) fn by_client(cx: &mut Cx<'_>, command: &Revoke) -> Verdict {
    let found = session::get(cx.db(), command.session)?;
    if let Some(found) = found.filter(|session| session.client == command.client) {
        ending::session(cx, &found)?;
    }
    Ok(Accepted::Done)
}

pub(super) fn by_person(cx: &mut Cx<'_>, command: &EndSession) -> Verdict {
    let browser = signed_in(cx, &command.cookie)?;
    if !ending::device(cx, &browser.user, &command.device)? {
        return Err(reject(Rejected::NoSuchDevice));
    }
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{EndSession, Oauth, Refused, Revoke, SessionNo};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, client_id, device, token};
    use bongsu_lane::Actor;

    #[test]
    fn a_client_ends_its_own_session_alone() {
        let bench = Bench::with_session();
        let revoke = |name: &str| {
            let command = Revoke {
                client: client_id(name),
                session: SessionNo(1),
            };
            bench.oauth(Actor::Nobody, Oauth::Revoke(command))
        };
        assert_eq!(revoke("thief"), Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_session"), 1);
        assert_eq!(revoke("shop"), Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_session"), 0);
        assert_eq!(bench.count("device"), 1, "the browser stays signed in");
        assert_eq!(revoke("shop"), Ok(Accepted::Done));
    }

    #[test]
    fn a_person_ends_any_session_of_theirs_from_a_browser() {
        let bench = Bench::with_session();
        bench.sign_in("mina", "PHONE", 9, None);
        let end = |cookie, id: &str| {
            let command = EndSession {
                cookie: token(cookie),
                device: device(id),
            };
            bench.oauth(Actor::Nobody, Oauth::EndSession(command))
        };
        let nobody = Err(Rejected::Oauth(Refused::NotSignedIn));
        assert_eq!(end(99, "PHONE"), nobody);
        assert_eq!(end(1, "PHONE"), Ok(Accepted::Done));
        assert_eq!(bench.holder(token(9)), None);
        assert_eq!(end(1, "CLIENT1"), Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_session"), 0);
        assert_eq!(end(1, "CLIENT1"), Err(Rejected::NoSuchDevice));
    }
}
