//! Noting that something was used which is good once, or that it is good no more.

use super::{Cx, TIDIED, Verdict, refuse};
use crate::command::Accepted;
use crate::command::oauth::{Refused, Spend};
use crate::state::oauth::spent;

pub(super) fn apply(cx: &mut Cx<'_>, command: &Spend) -> Verdict {
    spent::purge(cx.db(), cx.time(), TIDIED)?;
    // An assertion that ran out on its way is not remembered long enough to be told from its copy.
    if command.until <= cx.time() {
        return Err(refuse(Refused::Spent));
    }
    if spent::spend(cx.db(), &command.what, command.until)? {
        Ok(Accepted::Done)
    } else {
        Err(refuse(Refused::Spent))
    }
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{Oauth, Refused, Spend};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, token};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    #[test]
    fn what_is_good_once_is_spent_until_it_is_worth_nothing() {
        let bench = Bench::with(&[]);
        let spend = |n: u8, lasts: i64| {
            let command = Spend {
                what: token(n),
                until: bench.now() + Millis::seconds(lasts),
            };
            bench.oauth(Actor::Nobody, Oauth::Spend(command))
        };
        let refused = Err(Rejected::Oauth(Refused::Spent));
        assert_eq!(spend(1, 60), Ok(Accepted::Done));
        assert_eq!(spend(1, 60), refused);
        assert_eq!(spend(2, 60), Ok(Accepted::Done));
        assert_eq!(spend(3, 0), refused);
        bench.pass(Millis::seconds(61));
        assert_eq!(spend(4, 60), Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_spent"), 1);
    }
}
