//! Moving back what was moved, by a correcting transfer.

use crate::account::Delta;
use crate::row::Kind;
use crate::work::{Movement, Ruled, Work};
use crate::{Act, Amount, Instruction, Money, Refused, TransferId};

impl Instruction {
    /// Moves back `money` of a transfer or settlement, or all that is left of it.
    #[must_use]
    pub fn reverse(id: TransferId, original: TransferId, money: Option<Money>) -> Self {
        Self::new(id, Act::Reverse { original, money })
    }
}

pub(crate) fn act(
    work: &mut Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
    original: TransferId,
    money: Option<Money>,
) -> Ruled<i64> {
    let original = work.called(original)?;
    if !matches!(original.kind, Kind::Transfer | Kind::Settle) {
        return Err(Refused::NotReversible.into());
    }
    let before = work.reversed(original.n)?;
    let left = original.amount.minor() - before;
    let all = || Amount::new(left).map_err(|_| Refused::ExceedsOriginal);
    let amount = work.part(original.ledger, money, all)?;
    if amount.minor() > left {
        return Err(Refused::ExceedsOriginal.into());
    }
    let n = work.post(&Movement {
        id: instruction.id,
        kind: Kind::Reverse,
        debit: original.credit,
        credit: original.debit,
        amount,
        delta: Delta {
            posted: amount.minor(),
            pending: 0,
        },
        code: instruction.code,
        user_data: instruction.user_data,
        refers: Some(original.n),
        expires: None,
        fingerprint,
    })?;
    work.set_reversed(original.n, before + amount.minor());
    Ok(n)
}

#[cfg(test)]
mod tests {
    use crate::testing::{JUN, MINA, balance, bench, id, usd, won};
    use crate::{Between, Instruction, Refused, apply_one};
    use bongsu_base::LogTime;

    #[test]
    fn reversals_give_back_at_most_the_original() {
        let db = bench();
        let between = Between {
            debit: MINA,
            credit: JUN,
            money: won(1_000),
        };
        let ask = |instruction| {
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            answer.map(|done| done.amount.minor())
        };
        let reverse = |n, original, money| ask(Instruction::reverse(id(n), id(original), money));
        assert_eq!(ask(Instruction::transfer(id(2), between)), Ok(1_000));
        assert_eq!(
            reverse(3, 2, Some(won(1_001))),
            Err(Refused::ExceedsOriginal)
        );
        assert_eq!(reverse(4, 2, Some(usd(1))), Err(Refused::OtherCurrency));
        assert_eq!(reverse(5, 2, Some(won(300))), Ok(300));
        assert_eq!(reverse(6, 2, Some(won(701))), Err(Refused::ExceedsOriginal));
        assert_eq!(reverse(7, 2, None), Ok(700));
        assert_eq!(reverse(8, 2, None), Err(Refused::ExceedsOriginal));
        assert_eq!(reverse(9, 7, None), Err(Refused::NotReversible));
        assert_eq!(reverse(10, 3, None), Err(Refused::NoSuchTransfer));
        assert_eq!(balance(&db, MINA), (1_000, 2_000, 0, 0));
        assert_eq!(balance(&db, JUN), (1_000, 1_000, 0, 0));
    }

    #[test]
    fn a_settlement_is_reversed_and_a_hold_is_not() {
        let db = bench();
        let between = Between {
            debit: MINA,
            credit: JUN,
            money: won(1_000),
        };
        let ask = |instruction| {
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            answer.map(|done| done.amount.minor())
        };
        assert_eq!(ask(Instruction::hold(id(2), between, None)), Ok(1_000));
        let early = Instruction::reverse(id(3), id(2), None);
        assert_eq!(ask(early), Err(Refused::NotReversible));
        assert_eq!(
            ask(Instruction::settle(id(4), id(2), Some(won(400)))),
            Ok(400)
        );
        assert_eq!(ask(Instruction::reverse(id(5), id(4), None)), Ok(400));
        assert_eq!(balance(&db, MINA), (400, 1_400, 0, 0));
    }
}
