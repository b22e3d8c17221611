//! Paying another person.

use super::money::{self, begin, between, code, payee, post, purse, spend};
use super::{Cx, Ruled, review};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::effect::Effect;
use crate::rule::Then;
use crate::state::{damaged, payment, review as reviews};
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
    if paid.state == State::Review {
        reviews::show_in(cx.db(), paid.id, room)?;
    } else {
        show(cx, &paid, room.clone())?;
    }
    Ok(Answer::Payment(paid))
}

/// Asks for a payment to be shown in a room.
pub(super) fn show(cx: &mut Cx<'_>, paid: &Payment, room: RoomId) -> Ruled<()> {
    let person = |name: &str| name.parse().map_err(|_| damaged("payer"));
    cx.effect(&Effect::Show {
        room,
        payment: paid.id,
        payer: person(&paid.payer)?,
        payee: person(&paid.payee)?,
        money: money::money(paid),
        note: paid.note.clone(),
    })?;
    Ok(())
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
    if let Some(rule) = review::wanted(cx, &paid)? {
        let hold = Instruction::hold(paid.id.movement("hold", 0), moved, None);
        post(cx, vec![hold.with(code::TRANSFER, paid.id.0)])?;
        review::begin(cx, &mut paid, rule, Then::Move)?;
    } else {
        let pays = Instruction::transfer(paid.id.movement("pay", 0), moved);
        post(cx, vec![pays.with(code::TRANSFER, paid.id.0)])?;
    }
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
