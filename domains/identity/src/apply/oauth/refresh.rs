//! Replacing a session's tokens (RFC 6749, section 6; RFC 9700, section 4.14.2).
//!
//! The generation presented is the current one, and the next begins. For a short while the one before it gives the
//! same answer again, to a client that lost it; through whichever data centre it asks. Anything older means that
//! two have copies: the session ends.

use super::begin::issued;
use super::{Cx, Ruled, Verdict, done, refuse, usable};
use crate::apply::ending;
use crate::command::oauth::{Done, RefreshTokens, Refused};
use crate::state::device;
use crate::state::oauth::session::{self, Session};
use bongsu_base::Millis;

/// How long a lost answer is given again.
const GRACE: Millis = Millis::seconds(60);

pub(super) fn apply(cx: &mut Cx<'_>, command: &RefreshTokens) -> Verdict {
    let found = presented(cx, command)?;
    if found.jkt.is_some() && found.jkt != command.jkt {
        return Err(refuse(Refused::OtherKey));
    }
    replace(cx, found, command)
}

/// The same for a client that showed that it is the one: whichever key it proves to have, the tokens are bound to it.
pub(super) fn as_itself(cx: &mut Cx<'_>, command: &RefreshTokens) -> Verdict {
    let found = presented(cx, command)?;
    if found.jkt == command.jkt {
        return replace(cx, found, command);
    }
    let bound = Session {
        jkt: command.jkt,
        ..found
    };
    let n = bound.n;
    let verdict = replace(cx, bound, command)?;
    // A session that ended meanwhile has no row.
    session::bind(cx.db(), n, command.jkt.as_ref())?;
    Ok(verdict)
}

/// The session whose token this is, if the client has it.
fn presented(cx: &Cx<'_>, command: &RefreshTokens) -> Ruled<Session> {
    let found = session::get(cx.db(), command.session)?;
    let found = found.filter(|session| session.client == command.client);
    let found = found.ok_or_else(|| refuse(Refused::InvalidGrant))?;
    if found.generation < command.generation || found.generation == 0 {
        // Of a future that was lost with a log, or of a session that has no refresh tokens.
        return Err(refuse(Refused::InvalidGrant));
    }
    Ok(found)
}

fn replace(cx: &mut Cx<'_>, found: Session, command: &RefreshTokens) -> Verdict {
    let now = cx.time();
    if now.since(found.refreshed) > command.idle {
        return Err(refuse(Refused::InvalidGrant));
    }
    usable(cx, &found.user)?;
    match found.generation - command.generation {
        0 => {}
        1 if now.since(found.refreshed) <= GRACE => {
            return done(Done::Issued(Box::new(issued(found))));
        }
        _ => {
            ending::session(cx, &found)?;
            return done(Done::Reused);
        }
    }
    let next = Session {
        generation: found.generation + 1,
        refreshed: now,
        lasts: command.lasts,
        ..found
    };
    let until = (now, command.lasts, now + command.idle);
    session::refresh(cx.db(), next.n, next.generation, until)?;
    device::seen_again(cx.db(), &next.user, &next.device, &command.address, now)?;
    done(Done::Issued(Box::new(issued(next))))
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{Done, Issued, Oauth, Refused, SessionNo};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, client_id, refresh};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn ask(bench: &Bench, generation: u32) -> Result<Accepted, Rejected> {
        bench.oauth(Actor::Nobody, Oauth::RefreshTokens(refresh(generation)))
    }

    fn issued(answer: Result<Accepted, Rejected>) -> Issued {
        match answer {
            Ok(Accepted::Oauth(Done::Issued(issued))) => *issued,
            other => panic!("no tokens: {other:?}"),
        }
    }

    const REUSED: Result<Accepted, Rejected> = Ok(Accepted::Oauth(Done::Reused));
    const INVALID: Result<Accepted, Rejected> = Err(Rejected::Oauth(Refused::InvalidGrant));

    #[test]
    fn a_lost_answer_is_given_again_and_only_for_a_while() {
        let bench = Bench::with_session();
        bench.pass(Millis::minutes(5));
        let first = issued(ask(&bench, 1));
        assert_eq!((first.generation, first.at), (2, bench.now()));
        bench.pass(Millis::seconds(60));
        assert_eq!(issued(ask(&bench, 1)), first);
        bench.pass(Millis(1));
        assert_eq!(ask(&bench, 1), REUSED);
        assert_eq!(ask(&bench, 2), INVALID);
        assert_eq!(bench.count("oauth_session"), 0);
        assert_eq!(bench.count("oauth_revoked"), 1);
        assert_eq!(bench.effects().len(), 1, "the client learns of it");
    }

    #[test]
    fn the_one_before_the_last_ends_the_session_at_once() {
        let bench = Bench::with_session();
        assert_eq!(issued(ask(&bench, 1)).generation, 2);
        assert_eq!(issued(ask(&bench, 2)).generation, 3);
        assert_eq!(issued(ask(&bench, 2)).generation, 3);
        assert_eq!(ask(&bench, 1), REUSED);
        assert_eq!(ask(&bench, 3), INVALID);
    }

    #[test]
    fn a_family_never_forks() {
        // Two data centres are asked with the same token: whatever the order, one generation comes of it.
        let bench = Bench::with_session();
        let both = [issued(ask(&bench, 1)), issued(ask(&bench, 1))];
        assert_eq!(both[0], both[1]);
        assert_eq!(bench.count("oauth_session"), 1);
    }

    #[test]
    fn only_the_same_client_with_the_same_key_refreshes() {
        let bench = Bench::with_session();
        let changed = |change: fn(&mut crate::command::oauth::RefreshTokens)| {
            let mut command = refresh(1);
            change(&mut command);
            bench.oauth(Actor::Nobody, Oauth::RefreshTokens(command))
        };
        assert_eq!(changed(|one| one.client = client_id("thief")), INVALID);
        assert_eq!(changed(|one| one.session = SessionNo(9)), INVALID);
        assert_eq!(changed(|one| one.generation = 2), INVALID);
        assert_eq!(
            bench.count("oauth_session"),
            1,
            "nothing of it harms the session"
        );
    }

    #[test]
    fn a_client_that_is_the_one_changes_its_key() {
        let bench = Bench::with_session();
        let ask = |generation: u32, jkt: Option<[u8; 32]>| {
            let mut command = refresh(generation);
            command.jkt = jkt;
            bench.oauth(Actor::Nobody, Oauth::RefreshAsItself(command))
        };
        let (one, other) = (Some([1; 32]), Some([2; 32]));
        let first = issued(ask(1, one));
        assert_eq!((first.generation, first.jkt), (2, one));
        // The answer was lost, and with it the key.
        let again = issued(ask(1, other));
        assert_eq!((again.generation, again.jkt), (2, other));
        assert_eq!(issued(ask(2, None)).jkt, None);
        assert_eq!(issued(ask(3, one)).jkt, one);
        let other_key = Err(Rejected::Oauth(Refused::OtherKey));
        assert_eq!(
            super::tests::ask(&bench, 4),
            other_key,
            "of a public client"
        );
        assert_eq!(ask(1, one), REUSED);
        assert_eq!(ask(4, one), INVALID);
        assert_eq!(bench.count("oauth_session"), 0);
    }

    #[test]
    fn a_session_that_idled_too_long_has_ended() {
        let bench = Bench::with_session();
        bench.pass(Millis::hours(24 * 30));
        assert_eq!(issued(ask(&bench, 1)).generation, 2);
        bench.pass(Millis(24 * 30 * 3_600_000 + 1));
        assert_eq!(ask(&bench, 2), INVALID);
    }
}
