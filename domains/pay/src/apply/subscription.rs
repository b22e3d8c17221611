//! Charging again and again, as the payer consented: the merchant prepares it with the payment of the first period, the
//! payer consents by approving that.

use super::purchase::{pay_now, prepare, trading};
use super::{Cx, Ruled, webhook};
use crate::answer::{Answer, Payment, Refused, State};
use crate::id::SubscriptionId;
use crate::limits;
use crate::state::subscription;
use crate::subscription::{LONGEST, NewSubscription, Subscription, SubscriptionState};
use bongsu_ledger::Money;

pub(super) fn ready(cx: &mut Cx<'_>, shop: &str, asked: &NewSubscription) -> Ruled<Answer> {
    if asked.until <= cx.time() || asked.until > cx.time() + LONGEST {
        return Err(Refused::OutOfRange.into());
    }
    if asked.money.amount > asked.max {
        return Err(Refused::ExceedsConsent.into());
    }
    let what = (&asked.money, &*asked.order);
    let payment = prepare(cx, shop, what, asked.payer.as_ref())?;
    let made = Subscription {
        id: SubscriptionId(cx.seed().derive("subscription", 0)),
        merchant: shop.to_owned(),
        payer: String::new(),
        payment: payment.id,
        max: asked.max.minor(),
        currency: asked.money.currency,
        period: asked.period,
        until: asked.until,
        state: SubscriptionState::Ready,
        note: asked.order.clone(),
        made: cx.time(),
        changed: cx.time(),
        begun: cx.time(),
        charged: 0,
        charges: 0,
        last: None,
    };
    subscription::insert(cx.db(), &made)?;
    Ok(Answer::Prepared {
        payment,
        subscription: Box::new(made),
    })
}

/// Keeps `changed`, and tells its merchant.
fn keep(cx: &Cx<'_>, mut changed: Subscription) -> rusqlite::Result<Subscription> {
    changed.changed = cx.time();
    subscription::update(cx.db(), &changed)?;
    webhook::subscription(cx, &changed)?;
    Ok(changed)
}

/// What becomes of the subscription that is prepared with a payment, once the payer has answered or did not in time.
pub(super) fn follow(cx: &Cx<'_>, payment: &Payment) -> rusqlite::Result<()> {
    let Some(mut found) = subscription::with(cx.db(), payment.id)? else {
        return Ok(());
    };
    if found.state != SubscriptionState::Ready {
        return Ok(());
    }
    found.state = match payment.state {
        State::Held => SubscriptionState::Active,
        State::Declined | State::Canceled | State::Expired => SubscriptionState::Ended,
        State::AtBank | State::Ready | State::Paid | State::Review => return Ok(()),
    };
    if found.state == SubscriptionState::Active {
        found.payer.clone_from(&payment.payer);
        found.begun = cx.time();
    }
    keep(cx, found).map(drop)
}

pub(super) fn revoke(cx: &mut Cx<'_>, payer: &str, id: SubscriptionId) -> Ruled<Answer> {
    let found = subscription::find(cx.db(), id)?.filter(|found| found.payer == payer);
    end(cx, found, SubscriptionState::Revoked)
}

pub(super) fn stop(cx: &mut Cx<'_>, shop: &str, id: SubscriptionId) -> Ruled<Answer> {
    let found = subscription::find(cx.db(), id)?.filter(|found| found.merchant == shop);
    end(cx, found, SubscriptionState::Ended)
}

fn end(cx: &Cx<'_>, found: Option<Subscription>, state: SubscriptionState) -> Ruled<Answer> {
    let mut found = found.ok_or(Refused::NoSuchSubscription)?;
    if found.state != SubscriptionState::Active {
        return Err(Refused::WrongState.into());
    }
    found.state = state;
    Ok(Answer::Subscription(Box::new(keep(cx, found)?)))
}

pub(super) fn charge(
    cx: &mut Cx<'_>,
    id: &str,
    which: SubscriptionId,
    (money, order): (&Money, &str),
) -> Ruled<Answer> {
    let shop = trading(cx, id)?;
    let found = subscription::find(cx.db(), which)?.filter(|found| found.merchant == id);
    let mut found = found.ok_or(Refused::NoSuchSubscription)?;
    let period = chargeable(cx, &found, money)?;
    let paid = pay_now(cx, &shop, &found.payer, (money, order))?;
    (found.charged, found.last) = (period, Some(paid.id));
    found.charges += 1;
    keep(cx, found)?;
    Ok(Answer::Payment(paid))
}

/// The period in which `money` may be charged now.
fn chargeable(cx: &Cx<'_>, found: &Subscription, money: &Money) -> Ruled<i64> {
    let refused = match found.state {
        SubscriptionState::Ready => Some(Refused::WrongState),
        SubscriptionState::Revoked => Some(Refused::ConsentRevoked),
        SubscriptionState::Ended => Some(Refused::SubscriptionEnded),
        SubscriptionState::Active if found.until <= cx.time() => Some(Refused::SubscriptionEnded),
        SubscriptionState::Active if found.currency != money.currency => {
            Some(Refused::WrongCurrency)
        }
        SubscriptionState::Active if money.amount.minor() > found.max => {
            Some(Refused::ExceedsConsent)
        }
        SubscriptionState::Active => None,
    };
    let period = limits::periods(found.begun, cx.time(), found.period);
    match refused {
        Some(refused) => Err(refused.into()),
        None if period <= found.charged => Err(Refused::ChargeTooEarly.into()),
        None => Ok(period),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Act, Command, Verb};
    use crate::id::{KeyName, PaymentId};
    use crate::state::delivery;
    use crate::subscription::Period;
    use crate::testing::{Bench, krw, user};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    const DAY: Millis = Millis::hours(24);

    fn new(bench: &Bench) -> NewSubscription {
        NewSubscription {
            money: krw(1_000),
            order: "plan".into(),
            payer: None,
            max: krw(3_000).amount,
            period: Period::Week,
            until: bench.now() + Millis::hours(24 * 30),
        }
    }

    fn prepare(bench: &Bench, asked: NewSubscription) -> (PaymentId, SubscriptionId) {
        match bench.shop(Verb::ReadyRecurring(asked)) {
            Ok(Answer::Prepared {
                payment,
                subscription,
            }) => (payment.id, subscription.id),
            other => panic!("not prepared: {other:?}"),
        }
    }

    fn consented(bench: &Bench) -> SubscriptionId {
        let (payment, id) = prepare(bench, new(bench));
        bench.verb("mina", Verb::Accept(payment)).expect("held");
        bench.shop(Verb::Capture(payment)).expect("paid");
        id
    }

    fn charge(bench: &Bench, id: SubscriptionId, amount: i64) -> Result<State, Refused> {
        let (money, order) = (krw(amount), "plan 2".to_owned());
        let charged = bench.shop(Verb::ChargeSubscription { id, money, order });
        charged.map(|answer| Bench::payment(answer).state)
    }

    fn now(bench: &Bench, id: SubscriptionId) -> Subscription {
        bench.look(|db| subscription::find(db, id)).expect("there")
    }

    #[test]
    fn a_consent_is_charged_once_a_period_up_to_its_amount_until_it_ends() {
        let bench = Bench::with_shop(&[("mina", 20_000)]);
        let id = consented(&bench);
        assert_eq!(charge(&bench, id, 1_000), Err(Refused::ChargeTooEarly));
        bench.pass(Millis(7 * DAY.0 - 1));
        assert_eq!(charge(&bench, id, 1_000), Err(Refused::ChargeTooEarly));
        bench.pass(Millis(1));
        assert_eq!(charge(&bench, id, 3_001), Err(Refused::ExceedsConsent));
        assert_eq!(charge(&bench, id, 3_000), Ok(State::Paid));
        assert_eq!(charge(&bench, id, 1), Err(Refused::ChargeTooEarly));
        // A period in which nothing was charged is over.
        bench.pass(Millis(15 * DAY.0));
        assert_eq!(charge(&bench, id, 2_000), Ok(State::Paid));
        assert_eq!(charge(&bench, id, 2_000), Err(Refused::ChargeTooEarly));
        bench.pass(Millis(8 * DAY.0));
        assert_eq!(charge(&bench, id, 1), Err(Refused::SubscriptionEnded));
        assert_eq!(bench.available("mina"), 14_000);
        let last = now(&bench, id);
        assert_eq!((last.charges, last.charged), (2, 3));
        bench.prove();
    }

    #[test]
    fn nothing_is_charged_before_consent_after_it_was_revoked_or_ended() {
        let bench = Bench::with_shop(&[("mina", 20_000), ("juno", 20_000)]);
        let (payment, unanswered) = prepare(&bench, new(&bench));
        assert_eq!(charge(&bench, unanswered, 1), Err(Refused::WrongState));
        let revoke = |who: &str, id| bench.verb(who, Verb::Revoke(id)).map(drop);
        assert_eq!(revoke("mina", unanswered), Err(Refused::NoSuchSubscription));
        bench.verb("mina", Verb::Decline(payment)).expect("no");
        assert_eq!(now(&bench, unanswered).state, SubscriptionState::Ended);
        let (revoked, ended) = (consented(&bench), consented(&bench));
        assert_eq!(revoke("juno", revoked), Err(Refused::NoSuchSubscription));
        assert_eq!(revoke("mina", revoked), Ok(()));
        assert_eq!(revoke("mina", revoked), Err(Refused::WrongState));
        assert_eq!(bench.shop(Verb::EndSubscription(ended)).map(drop), Ok(()));
        bench.pass(Millis(7 * DAY.0));
        assert_eq!(charge(&bench, revoked, 1), Err(Refused::ConsentRevoked));
        assert_eq!(charge(&bench, ended, 1), Err(Refused::SubscriptionEnded));
        let (_, late) = prepare(&bench, new(&bench));
        bench.pass(DAY);
        let sweep = Command::Sweep { most: 9 };
        bench.ask(Actor::Platform, sweep).expect("swept");
        assert_eq!(now(&bench, late).state, SubscriptionState::Ended);
        assert_eq!(bench.available("mina"), 18_000);
        bench.prove();
    }

    #[test]
    fn the_payers_limits_and_freezes_hold_and_a_refused_charge_may_be_tried_again() {
        let bench = Bench::with_shop(&[("mina", 1_500)]);
        let id = consented(&bench);
        bench.pass(Millis(7 * DAY.0));
        assert_eq!(charge(&bench, id, 501), Err(Refused::InsufficientFunds));
        let owner = || user("mina");
        let freeze = |frozen| {
            let owner = owner();
            bench.administer(Act::FreezeWallet { owner, frozen });
        };
        freeze(true);
        assert_eq!(charge(&bench, id, 500), Err(Refused::WalletFrozen));
        freeze(false);
        assert_eq!(charge(&bench, id, 500), Ok(State::Paid));
        let mut asked = new(&bench);
        asked.money = krw(3_001);
        let refused = bench.shop(Verb::ReadyRecurring(asked.clone())).map(drop);
        assert_eq!(refused, Err(Refused::ExceedsConsent));
        asked.money = krw(1);
        asked.until = bench.now();
        let refused = bench.shop(Verb::ReadyRecurring(asked)).map(drop);
        assert_eq!(refused, Err(Refused::OutOfRange));
    }

    #[test]
    fn merchants_are_told_of_consent_charges_and_the_end() {
        let bench = Bench::with_shop(&[("mina", 20_000)]);
        let (url, key) = ("https://shop.example/".to_owned(), KeyName([1; 8]));
        bench.shop(Verb::SetWebhook { url, key }).expect("set");
        let id = consented(&bench);
        for _ in 0..2 {
            bench.pass(Millis(7 * DAY.0));
            assert_eq!(charge(&bench, id, 100), Ok(State::Paid));
        }
        bench.verb("mina", Verb::Revoke(id)).expect("revoked");
        let mut told = bench.look(|db| delivery::of(db, "shop", i64::MAX, 99));
        told.reverse();
        let kinds: Vec<&str> = told.iter().map(|one| one.about.kind()).collect();
        let charge = ["payment.paid", "subscription.charged"];
        let expect = [
            &["payment.approved", "subscription.consented", "payment.paid"][..],
            &charge,
            &charge,
            &["subscription.revoked"],
        ];
        assert_eq!(kinds, expect.concat());
    }
}
