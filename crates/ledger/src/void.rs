//! Ending a hold and moving nothing.

use crate::account::Delta;
use crate::row::{Kind, Transfer};
use crate::settle::open;
use crate::work::{Movement, Ruled, Work};
use crate::{Act, Instruction, TransferId};

impl Instruction {
    /// Ends a hold; what it held is free again.
    #[must_use]
    pub fn void(id: TransferId, hold: TransferId) -> Self {
        Self::new(id, Act::Void { hold })
    }
}

pub(crate) fn act(
    work: &mut Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
    hold: TransferId,
) -> Ruled<i64> {
    let hold = open(work, hold)?;
    let movement = Movement {
        id: instruction.id,
        code: instruction.code,
        user_data: instruction.user_data,
        fingerprint,
        ..release(&hold, Kind::Void)
    };
    let n = work.post(&movement)?;
    work.set_hold(hold.n, None);
    Ok(n)
}

/// Gives free what `hold` holds.
pub(crate) fn release(hold: &Transfer, kind: Kind) -> Movement {
    Movement {
        id: hold.id,
        kind,
        debit: hold.debit,
        credit: hold.credit,
        amount: hold.amount,
        delta: Delta {
            posted: 0,
            pending: -hold.amount.minor(),
        },
        code: hold.code,
        user_data: hold.user_data,
        refers: Some(hold.n),
        expires: None,
        fingerprint: [0; 16],
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{JUN, MINA, balance, bench, id, won};
    use crate::{Between, Instruction, Refused, apply_one, freeze};
    use bongsu_base::LogTime;

    #[test]
    fn a_voided_hold_leaves_nothing_even_when_an_account_is_frozen() {
        let db = bench();
        let between = Between {
            debit: MINA,
            credit: JUN,
            money: won(700),
        };
        let ask = |instruction| {
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            answer.map(drop)
        };
        assert_eq!(ask(Instruction::hold(id(2), between, None)), Ok(()));
        freeze(&db, JUN, true).expect("written").expect("frozen");
        let settle = Instruction::settle(id(3), id(2), None);
        assert_eq!(ask(settle), Err(Refused::AccountFrozen));
        assert_eq!(ask(Instruction::void(id(4), id(2))), Ok(()));
        assert_eq!(balance(&db, MINA), (0, 1_000, 0, 0));
        assert_eq!(balance(&db, JUN), (0, 0, 0, 0));
        assert_eq!(
            ask(Instruction::void(id(5), id(2))),
            Err(Refused::HoldIsOver)
        );
        assert_eq!(ask(Instruction::void(id(4), id(2))), Ok(()));
    }
}
