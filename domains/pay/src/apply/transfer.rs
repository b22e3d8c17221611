//! Paying another person.

use super::money::{begin, between, code, payee, post, purse, spend};
use super::{Cx, Ruled};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::effect::Effect;
use crate::state::{damaged, payment};
use bongsu_base::{RoomId, UserId};
use bongsu_ledger::{Instruction, Money};

pub(super) fn apply(cx: &mut Cx<'_>, from: &str, to: &str, what: (&Money, &str)) -> Ruled<Answer> {
    pay(cx, from, to, what).map(Answer::Payment)
}

/// As before, and a room is shown it. Who is in the room is not known here: whoever shows it sees to that, and the money
/// stays moved.
pub(super) fn shown(
    cx: &mut Cx<'_>,
    from: &str,
    (to, room): (&UserId, &RoomId),
    (money, note): (&Money, &str),
) -> Ruled<Answer> {
    let paid = pay(cx, from, to.as_str(), (money, note))?;
    cx.effect(&Effect::Show {
        room: room.clone(),
        payment: paid.id,
        payer: from.parse().map_err(|_| damaged("actor"))?,
        payee: to.clone(),
        money: *money,
        note: note.to_owned(),
    })?;
    Ok(Answer::Payment(paid))
}

/// Has a person pay another.
pub(super) fn pay(
    cx: &mut Cx<'_>,
    from: &str,
    to: &str,
    (money, note): (&Money, &str),
) -> Ruled<Payment> {
    if from == to {
        return Err(Refused::SamePerson.into());
    }
    let mut payer = purse(cx, from, money)?;
    let payee = payee(cx, to, money)?;
    spend(cx, &mut payer, money)?;
    let mut paid = begin(cx, (Kind::Transfer, State::Paid), money);
    (paid.payer, paid.payee, paid.note) = (from.into(), to.into(), note.into());
    let moved = between(payer.account, payee.account, *money);
    let id = paid.id.movement("pay", 0);
    post(
        cx,
        vec![Instruction::transfer(id, moved).with(code::TRANSFER, paid.id.0)],
    )?;
    payer.write(cx.db())?;
    payment::insert(cx.db(), &paid)?;
    Ok(paid)
}

#[cfg(test)]
mod tests {
    use crate::answer::Refused;
    use crate::command::{Act, Limits, Verb};
    use crate::testing::{Bench, krw, user};
    use bongsu_base::Millis;

    #[test]
    fn what_cannot_be_paid_is_refused_by_name() {
        let bench = Bench::with_wallets(&[("mina", 1_000_000), ("juno", 0)]);
        let pay = |to: &str, amount| {
            let note = String::new();
            let (to, money) = (user(to), krw(amount));
            bench
                .verb("mina", Verb::Transfer { to, money, note })
                .map(drop)
        };
        for (to, amount, expect) in [
            ("juno", 300_001, Err(Refused::PaymentLimit)),
            ("mina", 1, Err(Refused::SamePerson)),
            ("nobody", 1, Err(Refused::PayeeHasNoWallet)),
            ("juno", 300_000, Ok(())),
            ("juno", 200_001, Err(Refused::DayLimit)),
            ("juno", 200_000, Ok(())),
            ("juno", 1, Err(Refused::DayLimit)),
        ] {
            assert_eq!(pay(to, amount), expect, "{to} {amount}");
        }
        bench.pass(Millis::hours(24));
        assert_eq!(pay("juno", 1), Ok(()));
        bench.administer(Act::FreezeWallet {
            owner: user("juno"),
            frozen: true,
        });
        assert_eq!(pay("juno", 1), Err(Refused::PayeeFrozen));
        bench.administer(Act::FreezeWallet {
            owner: user("juno"),
            frozen: false,
        });
        bench.administer(Act::FreezeWallet {
            owner: user("mina"),
            frozen: true,
        });
        assert_eq!(pay("juno", 1), Err(Refused::WalletFrozen));
        bench.administer(Act::FreezeWallet {
            owner: user("mina"),
            frozen: false,
        });
        let limits = Limits {
            payment: i64::MAX,
            day: i64::MAX,
            month: 500_002,
        };
        let currency = krw(1).currency;
        bench.administer(Act::SetLimits {
            currency,
            level: 0,
            limits,
        });
        assert_eq!(pay("juno", 2), Err(Refused::MonthLimit));
        assert_eq!(pay("juno", 1), Ok(()));
        bench.prove();
    }
}
