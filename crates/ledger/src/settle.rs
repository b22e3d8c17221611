//! Ending a hold with what was held, or a part of it.

use crate::account::Delta;
use crate::row::{Kind, Transfer};
use crate::work::{Movement, Ruled, Work};
use crate::{Act, Instruction, Money, Refused, TransferId};

impl Instruction {
    /// Ends a hold and moves `money`, or all that it holds. What is not moved is free again.
    #[must_use]
    pub fn settle(id: TransferId, hold: TransferId, money: Option<Money>) -> Self {
        Self::new(id, Act::Settle { hold, money })
    }
}

pub(crate) fn act(
    work: &mut Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
    hold: TransferId,
    money: Option<Money>,
) -> Ruled<i64> {
    let hold = open(work, hold)?;
    let amount = work.part(hold.ledger, money, || Ok(hold.amount))?;
    if amount > hold.amount {
        return Err(Refused::ExceedsHold.into());
    }
    let n = work.post(&Movement {
        id: instruction.id,
        kind: Kind::Settle,
        debit: hold.debit,
        credit: hold.credit,
        amount,
        delta: Delta {
            posted: amount.minor(),
            pending: -hold.amount.minor(),
        },
        code: instruction.code,
        user_data: instruction.user_data,
        refers: Some(hold.n),
        expires: None,
        fingerprint,
    })?;
    work.set_hold(hold.n, None);
    Ok(n)
}

/// The hold called `id`, which is not over.
pub(crate) fn open(work: &mut Work<'_>, id: TransferId) -> Ruled<Transfer> {
    let hold = work.called(id)?;
    if hold.kind != Kind::Hold {
        return Err(Refused::NotAHold.into());
    }
    work.hold(hold.n)?;
    Ok(hold)
}

#[cfg(test)]
mod tests {
    use crate::testing::{JUN, MINA, balance, bench, id, usd, won};
    use crate::{Between, Instruction, Refused, apply, apply_one};
    use bongsu_base::LogTime;

    #[test]
    fn a_hold_is_settled_once_and_its_rest_is_free() {
        for (money, expect, mina) in [
            (None, Ok(()), (700, 1_000, 0, 0)),
            (Some(won(700)), Ok(()), (700, 1_000, 0, 0)),
            (Some(won(1)), Ok(()), (1, 1_000, 0, 0)),
            (
                Some(won(701)),
                Err(Refused::ExceedsHold),
                (0, 1_000, 700, 0),
            ),
            (
                Some(usd(1)),
                Err(Refused::OtherCurrency),
                (0, 1_000, 700, 0),
            ),
        ] {
            let db = bench();
            let between = Between {
                debit: MINA,
                credit: JUN,
                money: won(700),
            };
            let batch = [
                Instruction::hold(id(2), between, Some(LogTime(9))).linked(),
                Instruction::hold(id(3), between, None),
                Instruction::hold(id(4), between, Some(LogTime(9))),
            ];
            let answers = apply(&db, LogTime(2), &batch).expect("applied");
            assert!(answers[1].is_err() && answers[2].is_ok());
            let ask = |time, instruction| {
                let answer = apply_one(&db, LogTime(time), instruction).expect("applied");
                answer.map(drop)
            };
            assert_eq!(ask(8, Instruction::settle(id(5), id(4), money)), expect);
            assert_eq!(balance(&db, MINA), mina);
            let again = match expect {
                Ok(()) => Err(Refused::HoldIsOver),
                Err(_) => Ok(()),
            };
            assert_eq!(ask(8, Instruction::settle(id(6), id(4), None)), again);
            for (n, named, refused) in [
                (7, id(1), Refused::NotAHold),
                (8, id(2), Refused::NoSuchTransfer),
                (9, id(99), Refused::NoSuchTransfer),
            ] {
                assert_eq!(
                    ask(8, Instruction::settle(id(n), named, None)),
                    Err(refused)
                );
            }
        }
    }
}
