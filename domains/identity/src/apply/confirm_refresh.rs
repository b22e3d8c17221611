//! The first use of an access token that a refresh gave: from then on the refresh token before it opens nothing (Matrix
//! v1.19, client-server API, refreshing access tokens).

use super::{Cx, Verdict, reject};
use crate::command::{Accepted, ConfirmRefresh, Rejected};
use crate::state::token::{self, Standing};

pub(super) fn apply(cx: &mut Cx<'_>, command: &ConfirmRefresh) -> Verdict {
    let at = cx.position();
    let Some(holder) = token::holder(cx.db(), &command.access)? else {
        return Err(reject(Rejected::SessionEnded));
    };
    let (user, device) = (&holder.user, &holder.device);
    let step = (Standing::Previous, Standing::Spent);
    token::move_refresh(cx.db(), user, device, step, at)?;
    token::forget_spent(cx.db(), user, device)?;
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, ConfirmRefresh, Rejected};
    use crate::state::token::holder;
    use crate::testing::{Bench, refresh_matrix, token};
    use bongsu_lane::Actor;

    fn confirm(bench: &Bench, access: u8) -> Result<Accepted, Rejected> {
        let access = token(access);
        bench.ask(
            Actor::Nobody,
            Command::ConfirmRefresh(ConfirmRefresh { access }),
        )
    }

    fn unconfirmed(bench: &Bench, access: u8) -> Option<bool> {
        let found = bench.look(|db| holder(db, &token(access)));
        found.map(|holder| holder.unconfirmed)
    }

    #[test]
    fn the_refresh_token_before_is_good_until_the_new_access_token_is_used() {
        let bench = Bench::with(&["mina"]);
        bench.sign_in("mina", "DESK", 50, Some(150));
        assert_eq!(refresh_matrix(&bench, 150, 51), Ok(Accepted::Done));
        bench.sign_in("mina", "PHONE", 1, Some(101));
        assert_eq!(unconfirmed(&bench, 1), Some(false));
        assert_eq!(refresh_matrix(&bench, 101, 2), Ok(Accepted::Done));
        assert_eq!(unconfirmed(&bench, 2), Some(true));
        assert_eq!(refresh_matrix(&bench, 101, 3), Ok(Accepted::Done));
        assert_eq!(confirm(&bench, 2), Err(Rejected::SessionEnded));
        for _ in 0..2 {
            assert_eq!(confirm(&bench, 3), Ok(Accepted::Done));
        }
        assert_eq!(unconfirmed(&bench, 3), Some(false));
        let late = refresh_matrix(&bench, 101, 4);
        assert_eq!(late, Err(Rejected::UnknownRefreshToken));
        assert!(bench.holder(token(3)).is_some(), "the session goes on");
        assert_eq!(refresh_matrix(&bench, 103, 5), Ok(Accepted::Done));
        assert_eq!(unconfirmed(&bench, 51), Some(true), "another device's");
    }
}
