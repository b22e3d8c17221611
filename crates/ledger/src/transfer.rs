//! Moving money at once.

use crate::account::Delta;
use crate::row::Kind;
use crate::work::{Movement, Ruled, Work};
use crate::{Act, Between, Instruction, Refused, TransferId};

impl Instruction {
    /// Moves money.
    #[must_use]
    pub fn transfer(id: TransferId, between: Between) -> Self {
        Self::new(id, Act::Transfer(between))
    }
}

pub(crate) fn act(
    work: &mut Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
    between: &Between,
) -> Ruled<i64> {
    check(work, between)?;
    work.post(&Movement {
        id: instruction.id,
        kind: Kind::Transfer,
        debit: between.debit,
        credit: between.credit,
        amount: between.money.amount,
        delta: Delta {
            posted: between.money.amount.minor(),
            pending: 0,
        },
        code: instruction.code,
        user_data: instruction.user_data,
        refers: None,
        expires: None,
        fingerprint,
    })
}

/// Whether money of this kind can pass between the two accounts at all.
pub(crate) fn check(work: &mut Work<'_>, between: &Between) -> Ruled<()> {
    if between.debit == between.credit {
        return Err(Refused::SameAccount.into());
    }
    let debit = work.account(between.debit)?.opened.ledger;
    let credit = work.account(between.credit)?.opened.ledger;
    for ledger in [debit, credit] {
        if work.currency(ledger)? != between.money.currency {
            return Err(Refused::OtherCurrency.into());
        }
    }
    if debit != credit {
        return Err(Refused::OtherLedger.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{BANK, EUROS, JUN, MINA, SECOND, bench, id, usd, won};
    use crate::{AccountId, Amount, Answer, Between, Instruction, Refused, apply, apply_one};
    use bongsu_base::LogTime;

    #[test]
    fn a_transfer_obeys_the_rules() {
        let between = |debit, credit, money| Between {
            debit,
            credit,
            money,
        };
        for (between, expect) in [
            (between(MINA, JUN, won(1_000)), Ok(())),
            (between(MINA, JUN, won(1_001)), Err(Refused::ExceedsCredits)),
            (between(JUN, MINA, won(1)), Err(Refused::ExceedsCredits)),
            (between(MINA, BANK, won(1_000)), Ok(())),
            (
                between(BANK, JUN, won(i64::MAX)),
                Err(Refused::BalanceOverflows),
            ),
            (between(MINA, MINA, won(1)), Err(Refused::SameAccount)),
            (between(MINA, JUN, usd(1)), Err(Refused::OtherCurrency)),
            (between(MINA, EUROS, won(1)), Err(Refused::OtherCurrency)),
            (between(MINA, SECOND, won(1)), Err(Refused::OtherLedger)),
            (
                between(MINA, AccountId(99), won(1)),
                Err(Refused::NoSuchAccount),
            ),
            (
                between(AccountId(0), MINA, won(1)),
                Err(Refused::NoSuchAccount),
            ),
        ] {
            let db = bench();
            let instruction = Instruction::transfer(id(2), between);
            let answer = apply_one(&db, LogTime(2), instruction).expect("applied");
            assert_eq!(answer.map(drop), expect, "{between:?}");
        }
    }

    #[test]
    fn the_first_answer_stays_whatever_it_was() {
        let db = bench();
        let to_jun = |minor| Between {
            debit: MINA,
            credit: JUN,
            money: won(minor),
        };
        let ask = |time, n, minor| -> Answer {
            let instruction = Instruction::transfer(id(n), to_jun(minor));
            apply_one(&db, LogTime(time), instruction).expect("applied")
        };
        let first = ask(2, 2, 700);
        assert_eq!(
            first.map(|done| done.amount),
            Ok(Amount::new(700).expect("an amount"))
        );
        assert_eq!(ask(3, 3, 500), Err(Refused::ExceedsCredits));
        let back = Between {
            debit: JUN,
            credit: MINA,
            money: won(700),
        };
        apply_one(&db, LogTime(4), Instruction::transfer(id(4), back))
            .expect("applied")
            .expect("done");
        assert_eq!(ask(5, 2, 700), first);
        assert_eq!(ask(5, 2, 701), Err(Refused::IdTaken));
        assert_eq!(
            ask(5, 3, 500),
            Err(Refused::ExceedsCredits),
            "though it could be paid now"
        );
        assert_eq!(ask(5, 3, 1), Err(Refused::IdTaken));
        assert_eq!(ask(3, 9, 1), Err(Refused::TimeRunsBack));
        assert!(ask(5, 9, 1).is_ok(), "that was not kept");
    }

    #[test]
    fn a_chain_is_done_whole_or_not_at_all() {
        let db = bench();
        let pay = |n, minor| {
            let between = Between {
                debit: MINA,
                credit: JUN,
                money: won(minor),
            };
            Instruction::transfer(id(n), between)
        };
        let ask = |batch: &[Instruction]| {
            let answers = apply(&db, LogTime(2), batch).expect("applied");
            answers
                .into_iter()
                .map(|answer| answer.map(drop))
                .collect::<Vec<_>>()
        };
        let bad = [
            pay(2, 600).linked(),
            pay(3, 600).linked(),
            pay(4, 1),
            pay(5, 1),
        ];
        let linked = Err(Refused::LinkedFailed);
        let first = ask(&bad);
        assert_eq!(
            first,
            [linked, Err(Refused::ExceedsCredits), linked, Ok(())]
        );
        assert_eq!(ask(&bad), first);
        assert_eq!(
            ask(&[pay(6, 1).linked(), pay(6, 1)]),
            [Err(Refused::IdTwiceInChain); 2]
        );
        assert_eq!(ask(&[pay(6, 1).linked()]), [Err(Refused::ChainOpen)]);
        assert_eq!(
            ask(&[pay(5, 1).linked(), pay(7, 1)]),
            [Ok(()), Err(Refused::LinkedToKnown)]
        );
        assert_eq!(ask(&[pay(6, 499).linked(), pay(8, 500)]), [Ok(()), Ok(())]);
        assert_eq!(
            ask(&vec![pay(9, 1); crate::BATCH + 1])[0],
            Err(Refused::BatchTooLong)
        );
    }
}
