//! Replacing a session's tokens (Matrix v1.19, client-server API, refreshing access tokens).
//!
//! The old access token ends at once. The refresh token that was presented stays usable until one of the
//! two that were made from it is used (`confirm_refresh.rs`), for a client that lost the answer; each
//! further use replaces the pair that nobody has used. Whatever was replaced or has a used successor is
//! spent: it opens nothing, and the session goes on. Before behaviour 3 it ended the session.

use super::{Cx, Verdict, ending, reject};
use crate::command::{Accepted, Refresh, Rejected};
use crate::state::token::Standing;
use crate::state::{device, token};

pub(super) fn apply(cx: &mut Cx<'_>, command: &Refresh) -> Verdict {
    let (now, at) = (cx.time(), cx.position());
    let Some((user, id, standing)) = token::refresh(cx.db(), &command.presented)? else {
        return Err(reject(Rejected::UnknownRefreshToken));
    };
    let moves: &[_] = match standing {
        Standing::Spent if cx.version() >= 3 => {
            return Err(reject(Rejected::UnknownRefreshToken));
        }
        Standing::Spent => {
            ending::device(cx, &user, &id)?;
            return Ok(Accepted::Reused);
        }
        Standing::Current => &[
            (Standing::Previous, Standing::Spent),
            (Standing::Current, Standing::Previous),
        ],
        Standing::Previous => &[(Standing::Current, Standing::Spent)],
    };
    let db = cx.db();
    for step in moves {
        token::move_refresh(db, &user, &id, *step, at)?;
    }
    token::forget_spent(db, &user, &id)?;
    token::add_refresh(db, &user, &id, &command.refresh, at)?;
    let expires = Some(now + command.access_lifetime);
    token::set_access(db, &user, &id, &command.access, expires)?;
    device::seen(db, &user, &id, None, &command.address, now)?;
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, refresh_matrix as refresh, token};

    const DONE: Result<Accepted, Rejected> = Ok(Accepted::Done);
    const UNKNOWN: Result<Accepted, Rejected> = Err(Rejected::UnknownRefreshToken);

    /// Mina's session with access token 1 and refresh token 101.
    fn bench() -> Bench {
        begun(Bench::new())
    }

    fn begun(bench: Bench) -> Bench {
        bench.make(&["mina"]);
        bench.sign_in("mina", "PHONE", 1, Some(101));
        bench
    }

    fn live(bench: &Bench, tokens: &[u8]) -> Vec<u8> {
        let live = |n: &&u8| bench.holder(token(**n)).is_some();
        tokens.iter().filter(live).copied().collect()
    }

    #[test]
    fn the_old_access_token_ends_at_once() {
        let bench = bench();
        assert_eq!(refresh(&bench, 101, 2), DONE);
        assert_eq!(live(&bench, &[1, 2]), [2]);
        assert_eq!(refresh(&bench, 77, 3), UNKNOWN);
        assert_eq!(live(&bench, &[1, 2, 3]), [2]);
    }

    #[test]
    fn a_lost_answer_is_repaired_by_the_same_refresh_token() {
        let bench = bench();
        assert_eq!(refresh(&bench, 101, 2), DONE);
        assert_eq!(refresh(&bench, 101, 3), DONE);
        assert_eq!(
            live(&bench, &[1, 2, 3]),
            [3],
            "the pair nobody used is replaced"
        );
        assert_eq!(refresh(&bench, 103, 4), DONE);
        assert_eq!(live(&bench, &[1, 2, 3, 4]), [4]);
    }

    #[test]
    fn a_spent_refresh_token_opens_nothing_and_ends_nothing() {
        let bench = bench();
        assert_eq!(refresh(&bench, 101, 2), DONE);
        assert_eq!(refresh(&bench, 102, 3), DONE);
        assert_eq!(refresh(&bench, 101, 4), UNKNOWN);
        assert_eq!(live(&bench, &[1, 2, 3, 4]), [3]);
        assert_eq!(refresh(&bench, 103, 5), DONE);
    }

    #[test]
    fn a_replaced_refresh_token_opens_nothing_and_ends_nothing() {
        let bench = bench();
        assert_eq!(refresh(&bench, 101, 2), DONE);
        assert_eq!(refresh(&bench, 101, 3), DONE);
        assert_eq!(refresh(&bench, 102, 4), UNKNOWN);
        assert_eq!(live(&bench, &[1, 2, 3, 4]), [3]);
    }

    #[test]
    fn before_behaviour_3_a_spent_refresh_token_ended_the_session() {
        for replaced in [false, true] {
            let bench = begun(Bench::of_behaviour(2));
            assert_eq!(refresh(&bench, 101, 2), DONE);
            let used = if replaced { 101 } else { 102 };
            assert_eq!(refresh(&bench, used, 3), DONE);
            let spent = if replaced { 102 } else { 101 };
            assert_eq!(refresh(&bench, spent, 4), Ok(Accepted::Reused));
            assert!(live(&bench, &[1, 2, 3, 4]).is_empty());
            assert_eq!(refresh(&bench, 103, 5), UNKNOWN);
            assert_eq!(bench.count("device") + bench.count("refresh_token"), 0);
        }
    }

    #[test]
    fn a_long_session_keeps_few_rows() {
        let bench = bench();
        for n in 1..60 {
            assert_eq!(refresh(&bench, n + 100, n + 1), DONE);
        }
        assert_eq!(bench.count("access_token"), 1);
        assert_eq!(
            bench.count("refresh_token"),
            2 + i64::from(crate::state::token::SPENT_KEPT)
        );
    }
}
