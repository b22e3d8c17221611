//! Holding money: the first phase of two.

use crate::account::Delta;
use crate::row::Kind;
use crate::work::{Hold, Movement, Ruled, Work};
use crate::{Act, Between, Instruction, Refused, TransferId, transfer};
use bongsu_base::LogTime;

impl Instruction {
    /// Holds money until it is settled, voided, or log time reaches `expires`.
    #[must_use]
    pub fn hold(id: TransferId, between: Between, expires: Option<LogTime>) -> Self {
        Self::new(id, Act::Hold { between, expires })
    }
}

pub(crate) fn act(
    work: &mut Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
    between: &Between,
    expires: Option<LogTime>,
) -> Ruled<i64> {
    if expires.is_some_and(|at| at <= work.time) {
        return Err(Refused::ExpiryNotLater.into());
    }
    transfer::check(work, between)?;
    let n = work.post(&Movement {
        id: instruction.id,
        kind: Kind::Hold,
        debit: between.debit,
        credit: between.credit,
        amount: between.money.amount,
        delta: Delta {
            posted: 0,
            pending: between.money.amount.minor(),
        },
        code: instruction.code,
        user_data: instruction.user_data,
        refers: None,
        expires,
        fingerprint,
    })?;
    work.set_hold(n, Some(Hold { expires }));
    Ok(n)
}

#[cfg(test)]
mod tests {
    use crate::testing::{JUN, MINA, balance, bench, id, won};
    use crate::{Between, Instruction, Refused, apply_one};
    use bongsu_base::LogTime;

    #[test]
    fn held_money_cannot_be_spent_nor_counted_as_received() {
        let db = bench();
        let between = |debit, credit, minor| Between {
            debit,
            credit,
            money: won(minor),
        };
        let ask = |instruction| {
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            answer.map(drop)
        };
        let hold = |n, minor, expires: Option<i64>| {
            let expires = expires.map(LogTime);
            ask(Instruction::hold(id(n), between(MINA, JUN, minor), expires))
        };
        assert_eq!(hold(2, 700, None), Ok(()));
        assert_eq!(hold(3, 301, None), Err(Refused::ExceedsCredits));
        assert_eq!(hold(4, 300, Some(2)), Err(Refused::ExpiryNotLater));
        assert_eq!(hold(5, 300, Some(3)), Ok(()));
        let spend = Instruction::transfer(id(6), between(MINA, JUN, 1));
        assert_eq!(ask(spend), Err(Refused::ExceedsCredits));
        let spend = Instruction::transfer(id(7), between(JUN, MINA, 1));
        assert_eq!(ask(spend), Err(Refused::ExceedsCredits));
        assert_eq!(balance(&db, MINA), (0, 1_000, 1_000, 0));
        assert_eq!(balance(&db, JUN), (0, 0, 0, 1_000));
    }
}
