//! Disputing a purchase: the payer says why, the merchant answers, the operator decides. Until then what the merchant would
//! have to give back is withheld from its settlement.

use super::{Cx, Ruled, purchase, webhook};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::dispute::{Dispute, DisputeState, WITHIN};
use crate::id::PaymentId;
use crate::state::{dispute, payment};

pub(super) fn open(cx: &mut Cx<'_>, payer: &str, id: PaymentId, reason: &str) -> Ruled<Answer> {
    let found = payment::find(cx.db(), id)?;
    let found = found.filter(|found| found.kind == Kind::Purchase && found.payer == payer);
    let found = found.ok_or(Refused::NoSuchPayment)?;
    if dispute::find(cx.db(), id)?.is_some() {
        return Err(Refused::DisputeExists.into());
    }
    if found.state != State::Paid {
        return Err(Refused::WrongState.into());
    }
    if cx.time() >= found.made + WITHIN {
        return Err(Refused::DisputeTooLate.into());
    }
    let opened = Dispute {
        payment: id,
        merchant: found.payee,
        payer: payer.to_owned(),
        amount: found.amount - found.refunded,
        currency: found.currency,
        state: DisputeState::Open,
        reason: reason.to_owned(),
        answer: String::new(),
        made: cx.time(),
        changed: cx.time(),
    };
    dispute::insert(cx.db(), &opened)?;
    webhook::dispute(cx, &opened)?;
    Ok(Answer::Dispute(opened))
}

pub(super) fn answer(cx: &mut Cx<'_>, shop: &str, id: PaymentId, said: &str) -> Ruled<Answer> {
    let found = dispute::find(cx.db(), id)?.filter(|found| found.merchant == shop);
    let mut found = found.ok_or(Refused::NoSuchDispute)?;
    if found.state != DisputeState::Open {
        return Err(Refused::WrongState.into());
    }
    said.clone_into(&mut found.answer);
    keep(cx, found, DisputeState::Answered).map(Answer::Dispute)
}

/// What an operator decides.
pub(super) fn decide(cx: &mut Cx<'_>, id: PaymentId, refund: bool) -> Ruled<()> {
    let found = dispute::find(cx.db(), id)?.ok_or(Refused::NoSuchDispute)?;
    if is_over(&found) {
        return Err(Refused::WrongState.into());
    }
    if refund {
        // What becomes of the payment decides the dispute.
        purchase::cancel(cx, &found.merchant, id, None)?;
    } else {
        keep(cx, found, DisputeState::Rejected)?;
    }
    Ok(())
}

/// A purchase of which all was given back is disputed no longer.
pub(super) fn follow(cx: &Cx<'_>, payment: &Payment) -> Ruled<()> {
    if payment.state != State::Canceled {
        return Ok(());
    }
    match dispute::find(cx.db(), payment.id)? {
        Some(found) if !is_over(&found) => keep(cx, found, DisputeState::Refunded).map(drop),
        _ => Ok(()),
    }
}

const fn is_over(dispute: &Dispute) -> bool {
    matches!(
        dispute.state,
        DisputeState::Refunded | DisputeState::Rejected
    )
}

fn keep(cx: &Cx<'_>, mut changed: Dispute, state: DisputeState) -> Ruled<Dispute> {
    (changed.state, changed.changed) = (state, cx.time());
    dispute::update(cx.db(), &changed)?;
    webhook::dispute(cx, &changed)?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Accepted, Act, Rejected, Verb};
    use crate::state::dispute::find as dispute_of;
    use crate::testing::{Bench, krw};

    fn dispute(bench: &Bench, who: &str, payment: PaymentId) -> Result<(), Refused> {
        let reason = "broken".to_owned();
        bench.verb(who, Verb::Dispute { payment, reason }).map(drop)
    }

    fn paid(bench: &Bench, amount: i64) -> PaymentId {
        let verb = Verb::PayMerchant {
            merchant: "shop".parse().expect("an id"),
            money: krw(amount),
            note: String::new(),
        };
        Bench::payment(bench.verb("mina", verb).expect("paid")).id
    }

    fn decide(bench: &Bench, payment: PaymentId, refund: bool) -> Result<Accepted, Rejected> {
        bench.try_administer(Act::Decide { payment, refund })
    }

    fn settle(bench: &Bench) -> Result<Accepted, Rejected> {
        bench.try_administer(Act::Settle("shop".parse().expect("an id")))
    }

    fn cancel(bench: &Bench, payment: PaymentId, amount: Option<i64>) {
        let amount = amount.map(|amount| krw(amount).amount);
        bench
            .shop(Verb::Cancel { payment, amount })
            .expect("given back");
    }

    #[test]
    fn what_is_in_dispute_is_withheld_until_it_is_decided() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let (kept, given) = (paid(&bench, 1_000), paid(&bench, 2_000));
        for id in [kept, given] {
            assert_eq!(dispute(&bench, "mina", id), Ok(()));
        }
        assert_eq!(
            settle(&bench),
            Err(Rejected::Refused(Refused::NothingToSettle))
        );
        paid(&bench, 500);
        assert_eq!(settle(&bench), Ok(Accepted::Done));
        assert_eq!(bench.pending(), 970 + 1_940);
        cancel(&bench, given, Some(1_000));
        assert_eq!(
            settle(&bench),
            Err(Rejected::Refused(Refused::NothingToSettle))
        );
        assert_eq!(decide(&bench, given, true), Ok(Accepted::Done));
        assert_eq!(bench.available("mina"), 10_000 - 1_500);
        assert_eq!(decide(&bench, kept, false), Ok(Accepted::Done));
        for refund in [true, false] {
            let again = decide(&bench, given, refund);
            assert_eq!(again, Err(Rejected::Refused(Refused::WrongState)));
        }
        assert_eq!(settle(&bench), Ok(Accepted::Done));
        assert_eq!(bench.pending(), 0);
        bench.prove();
    }

    #[test]
    fn only_the_payer_disputes_what_is_paid_once_and_in_time() {
        let bench = Bench::with_shop(&[("mina", 10_000), ("juno", 0)]);
        let id = paid(&bench, 1_000);
        assert_eq!(dispute(&bench, "juno", id), Err(Refused::NoSuchPayment));
        assert_eq!(dispute(&bench, "mina", id), Ok(()));
        assert_eq!(dispute(&bench, "mina", id), Err(Refused::DisputeExists));
        let answer = |payment| {
            let answer = "it was fine".to_owned();
            bench
                .shop(Verb::AnswerDispute { payment, answer })
                .map(drop)
        };
        assert_eq!(answer(PaymentId([1; 16])), Err(Refused::NoSuchDispute));
        assert_eq!(answer(id), Ok(()));
        assert_eq!(answer(id), Err(Refused::WrongState));
        // What the merchant gives back by itself ends it.
        cancel(&bench, id, None);
        let ended = bench.look(|db| dispute_of(db, id));
        assert_eq!(ended.expect("there").state, DisputeState::Refunded);
        let canceled = paid(&bench, 1_000);
        cancel(&bench, canceled, None);
        assert_eq!(dispute(&bench, "mina", canceled), Err(Refused::WrongState));
        let old = paid(&bench, 1_000);
        bench.pass(WITHIN);
        assert_eq!(dispute(&bench, "mina", old), Err(Refused::DisputeTooLate));
    }
}
