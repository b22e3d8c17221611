//! Asking people for money: a bill has a share for each, which they pay once or decline.

use super::{Cx, Ruled, transfer};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::bill::{Bill, BillState, LONGEST, MOST_SHARES, NewBill, Share, ShareState};
use crate::id::BillId;
use crate::state::{bill, damaged, wallet};
use bongsu_ledger::{Amount, Money};
use std::collections::BTreeSet;

pub(super) fn make(cx: &mut Cx<'_>, asker: &str, asked: &NewBill) -> Ruled<Answer> {
    let total = sound(asker, asked)?;
    let mine = wallet::find(cx.db(), asker, asked.currency)?.ok_or(Refused::NoWallet)?;
    if mine.frozen {
        return Err(Refused::WalletFrozen.into());
    }
    let shares = asked.shares.iter().map(|(person, amount)| Share {
        person: person.to_string(),
        amount: amount.minor(),
        state: if person.as_str() == asker {
            ShareState::Own
        } else {
            ShareState::Open
        },
        payment: None,
    });
    let made = Bill {
        id: BillId(cx.seed().derive("bill", 0)),
        asker: asker.to_owned(),
        note: asked.note.clone(),
        currency: asked.currency,
        total,
        state: BillState::Open,
        made: cx.time(),
        changed: cx.time(),
        expires: Some(cx.time() + asked.lasts),
        shares: shares.collect(),
    };
    bill::insert(cx.db(), &made)?;
    Ok(Answer::Bill(made))
}

/// How much a bill asks for, if it can be asked.
fn sound(asker: &str, asked: &NewBill) -> Ruled<i64> {
    let others = asked.shares.iter().filter(|(who, _)| who.as_str() != asker);
    if others.count() == 0 || asked.shares.len() > MOST_SHARES {
        return Err(Refused::SharesOutOfRange.into());
    }
    if !(1..=LONGEST.0).contains(&asked.lasts.0) {
        return Err(Refused::OutOfRange.into());
    }
    let mut people = BTreeSet::new();
    let mut total = 0_i64;
    for (person, amount) in &asked.shares {
        if !people.insert(person.as_str()) {
            return Err(Refused::PersonTwice.into());
        }
        let sum = total.checked_add(amount.minor());
        total = sum.ok_or(Refused::TooLarge)?;
    }
    Ok(total)
}

/// A bill that waits, its number, and the share that `person` has in it and has not answered.
fn waiting(cx: &Cx<'_>, person: &str, id: BillId) -> Ruled<(i64, Bill, Share)> {
    let (n, found) = bill::find(cx.db(), id)?.ok_or(Refused::NoSuchBill)?;
    let share = found.share_of(person).cloned();
    let share = share.filter(|share| share.state != ShareState::Own);
    let share = share.ok_or(if found.asker == person {
        Refused::WrongState
    } else {
        Refused::NoSuchBill
    })?;
    if share.state != ShareState::Open {
        return Err(Refused::WrongState.into());
    }
    still_open(cx, &found)?;
    Ok((n, found, share))
}

fn still_open(cx: &Cx<'_>, found: &Bill) -> Ruled<()> {
    match found.state {
        BillState::Open if found.expires.is_none_or(|expires| cx.time() < expires) => Ok(()),
        BillState::Open | BillState::Expired => Err(Refused::Expired.into()),
        BillState::Done | BillState::Canceled => Err(Refused::WrongState.into()),
    }
}

/// Keeps how far a share is, and with it the bill.
fn keep(cx: &Cx<'_>, (n, mut found): (i64, Bill), share: &Share) -> rusqlite::Result<Bill> {
    bill::update_share(cx.db(), n, share)?;
    for one in &mut found.shares {
        if one.person == share.person {
            one.clone_from(share);
        }
    }
    let waits = |share: &Share| matches!(share.state, ShareState::Open | ShareState::Review);
    if found.state == BillState::Open && !found.shares.iter().any(waits) {
        (found.state, found.expires) = (BillState::Done, None);
    }
    found.changed = cx.time();
    bill::update(cx.db(), &found)?;
    Ok(found)
}

pub(super) fn pay(cx: &mut Cx<'_>, payer: &str, id: BillId) -> Ruled<Answer> {
    let (n, found, mut share) = waiting(cx, payer, id)?;
    let money = Money {
        amount: Amount::new(share.amount).map_err(|_| damaged("amount"))?,
        currency: found.currency,
    };
    let paid = transfer::pay(cx, payer, &found.asker, (&money, &found.note))?;
    share.payment = Some(paid.id);
    share.state = if paid.state == State::Review {
        ShareState::Review
    } else {
        ShareState::Paid
    };
    keep(cx, (n, found), &share)?;
    Ok(Answer::Payment(paid))
}

/// What becomes of the share that was paid with a payment at which an operator has looked.
pub(super) fn follow(cx: &Cx<'_>, payment: &Payment) -> rusqlite::Result<()> {
    if payment.kind != Kind::Transfer || payment.state == State::Review {
        return Ok(());
    }
    let Some((n, found)) = bill::paid_with(cx.db(), payment.id)? else {
        return Ok(());
    };
    let Some(mut share) = found.share_of(&payment.payer).cloned() else {
        return Ok(());
    };
    (share.state, share.payment) = if payment.state == State::Paid {
        (ShareState::Paid, Some(payment.id))
    } else {
        (ShareState::Open, None)
    };
    keep(cx, (n, found), &share).map(drop)
}

pub(super) fn decline(cx: &mut Cx<'_>, person: &str, id: BillId) -> Ruled<Answer> {
    let (n, found, mut share) = waiting(cx, person, id)?;
    share.state = ShareState::Declined;
    let kept = keep(cx, (n, found), &share)?;
    Ok(Answer::Bill(
        kept.seen_by(person).ok_or_else(|| damaged("share"))?,
    ))
}

pub(super) fn cancel(cx: &mut Cx<'_>, asker: &str, id: BillId) -> Ruled<Answer> {
    let (_, mut found) = bill::find(cx.db(), id)?.ok_or(Refused::NoSuchBill)?;
    if found.asker != asker {
        let asked = found.share_of(asker).is_some();
        let refused = if asked {
            Refused::NotForYou
        } else {
            Refused::NoSuchBill
        };
        return Err(refused.into());
    }
    still_open(cx, &found)?;
    (found.state, found.expires) = (BillState::Canceled, None);
    found.changed = cx.time();
    bill::update(cx.db(), &found)?;
    Ok(Answer::Bill(found))
}

/// Ends up to `most` whose time has run out.
pub(super) fn expire(cx: &Cx<'_>, most: u32) -> rusqlite::Result<()> {
    for mut due in bill::due(cx.db(), cx.time(), most)? {
        (due.state, due.expires) = (BillState::Expired, None);
        due.changed = cx.time();
        bill::update(cx.db(), &due)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Act, Command, Verb};
    use crate::testing::{Bench, krw, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn new(shares: &[(&str, i64)]) -> NewBill {
        let share = |(name, amount): &(&str, i64)| (user(name), krw(*amount).amount);
        NewBill {
            note: "dinner".into(),
            currency: krw(1).currency,
            shares: shares.iter().map(share).collect(),
            lasts: Millis::hours(1),
        }
    }

    fn bill(answer: Answer) -> Bill {
        match answer {
            Answer::Bill(bill) => bill,
            other => panic!("no bill: {other:?}"),
        }
    }

    fn ask(bench: &Bench, asker: &str, shares: &[(&str, i64)]) -> BillId {
        let made = bench.verb(asker, Verb::MakeBill(new(shares)));
        bill(made.expect("asked")).id
    }

    fn now(bench: &Bench, id: BillId) -> Bill {
        let found = bench.look(|db| bill::find(db, id));
        found.expect("there").1
    }

    #[test]
    fn each_share_is_paid_once_or_declined_and_then_the_bill_is_done() {
        let people = [
            ("mina", 0),
            ("juno", 1_000),
            ("dain", 1_000),
            ("eve", 1_000),
        ];
        let bench = Bench::with_wallets(&people);
        let shares = [("mina", 300), ("juno", 300), ("dain", 299)];
        let id = ask(&bench, "mina", &shares);
        let pay = |who: &str| bench.verb(who, Verb::PayShare(id)).map(Bench::payment);
        assert_eq!(pay("eve").map(drop), Err(Refused::NoSuchBill));
        assert_eq!(pay("mina").map(drop), Err(Refused::WrongState));
        let paid = pay("juno").expect("paid");
        assert_eq!((&*paid.payee, paid.amount), (user("mina").as_str(), 300));
        assert_eq!(paid.note, "dinner");
        assert_eq!(pay("juno").map(drop), Err(Refused::WrongState));
        let decline = |who: &str| bench.verb(who, Verb::DeclineShare(id)).map(bill);
        assert_eq!(decline("juno").map(drop), Err(Refused::WrongState));
        assert_eq!(decline("eve").map(drop), Err(Refused::NoSuchBill));
        assert_eq!(now(&bench, id).state, BillState::Open);
        let seen = decline("dain").expect("declined");
        assert_eq!((seen.shares.len(), seen.total), (1, 899));
        assert_eq!(pay("dain").map(drop), Err(Refused::WrongState));
        let done = now(&bench, id);
        assert_eq!((done.state, done.expires), (BillState::Done, None));
        assert_eq!(done.shares[1].payment, Some(paid.id));
        assert_eq!(bench.balances(&["mina", "juno", "dain"]), [300, 700, 1_000]);
        bench.prove();
    }

    #[test]
    fn whoever_asks_calls_it_off_and_time_does() {
        let bench = Bench::with_wallets(&[("mina", 0), ("juno", 1_000)]);
        let called_off = ask(&bench, "mina", &[("juno", 300)]);
        let cancel = |who: &str| bench.verb(who, Verb::CancelBill(called_off)).map(drop);
        assert_eq!(cancel("juno"), Err(Refused::NotForYou));
        assert_eq!(cancel("dain"), Err(Refused::NoSuchBill));
        assert_eq!(cancel("mina"), Ok(()));
        assert_eq!(cancel("mina"), Err(Refused::WrongState));
        let late = ask(&bench, "mina", &[("juno", 300)]);
        let pay = |id| bench.verb("juno", Verb::PayShare(id)).map(drop);
        assert_eq!(pay(called_off), Err(Refused::WrongState));
        bench.pass(Millis::hours(1));
        assert_eq!(pay(late), Err(Refused::Expired));
        for _ in 0..2 {
            let sweep = Command::Sweep { most: 1 };
            bench.ask(Actor::Platform, sweep).expect("swept");
            assert_eq!(now(&bench, late).state, BillState::Expired);
        }
        assert_eq!(pay(late), Err(Refused::Expired));
        assert_eq!(now(&bench, called_off).state, BillState::Canceled);
        assert_eq!(bench.balances(&["mina", "juno"]), [0, 1_000]);
    }

    #[test]
    fn limits_and_freezes_hold_and_leave_the_share_open() {
        let bench = Bench::with_wallets(&[("mina", 0), ("juno", 400_000)]);
        let id = ask(&bench, "mina", &[("juno", 300_001)]);
        let pay = |id| bench.verb("juno", Verb::PayShare(id)).map(drop);
        assert_eq!(pay(id), Err(Refused::PaymentLimit));
        let id = ask(&bench, "mina", &[("juno", 300_000)]);
        for (who, refused) in [
            ("mina", Refused::PayeeFrozen),
            ("juno", Refused::WalletFrozen),
        ] {
            let freeze = |frozen| Act::FreezeWallet {
                owner: user(who),
                frozen,
            };
            bench.administer(freeze(true));
            assert_eq!(pay(id), Err(refused));
            bench.administer(freeze(false));
        }
        assert_eq!(pay(id), Ok(()));
    }

    #[test]
    fn what_cannot_be_asked_is_refused_by_name() {
        let bench = Bench::with_wallets(&[("mina", 0)]);
        let mut much = new(&[("a", i64::MAX), ("b", 1)]);
        let try_it =
            |who: &str, asked: &NewBill| bench.verb(who, Verb::MakeBill(asked.clone())).map(drop);
        assert_eq!(try_it("mina", &much), Err(Refused::TooLarge));
        let names: Vec<String> = (0..101).map(|n| format!("p{n}")).collect();
        let many: Vec<(&str, i64)> = names.iter().map(|name| (&**name, 1)).collect();
        for (shares, expect) in [
            (&many[..], Err(Refused::SharesOutOfRange)),
            (&many[..100], Ok(())),
            (&[], Err(Refused::SharesOutOfRange)),
            (&[("mina", 1)], Err(Refused::SharesOutOfRange)),
            (&[("a", 1), ("a", 2)], Err(Refused::PersonTwice)),
        ] {
            assert_eq!(try_it("mina", &new(shares)), expect, "{}", shares.len());
        }
        assert_eq!(try_it("juno", &new(&[("a", 1)])), Err(Refused::NoWallet));
        much.shares.truncate(1);
        for lasts in [Millis(0), Millis(LONGEST.0 + 1)] {
            much.lasts = lasts;
            assert_eq!(try_it("mina", &much), Err(Refused::OutOfRange));
        }
        let left: i64 =
            bench.look(|db| db.query_row("SELECT count(*) FROM bill", (), |row| row.get(0)));
        assert_eq!(left, 1);
    }
}
