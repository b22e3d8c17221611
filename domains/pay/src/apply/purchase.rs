//! Paying a merchant: the merchant prepares it, the payer lets it be, the merchant takes it.

use super::link::give_free;
use super::money::{available, begin, between, code, money, post, purse, some, spend, turn};
use super::{Cx, Ruled, review, webhook};
use crate::answer::{Answer, Kind, Merchant, Payment, Refused, State};
use crate::id::{MerchantId, PaymentId};
use crate::rule::Then;
use crate::state::{book, damaged, merchant, payment, wallet};
use bongsu_base::{Millis, UserId};
use bongsu_ledger::{Amount, Instruction, Money};

/// How long a payer may take.
const TO_ACCEPT: Millis = Millis::minutes(15);
/// How long the merchant may take then.
pub(super) const TO_CAPTURE: Millis = Millis::hours(1);

pub(super) fn trading(cx: &Cx<'_>, id: &str) -> Ruled<Merchant> {
    let found = merchant::find(cx.db(), id)?.ok_or(Refused::NoSuchMerchant)?;
    if found.frozen {
        return Err(Refused::MerchantFrozen.into());
    }
    Ok(found)
}

pub(super) fn ready(
    cx: &mut Cx<'_>,
    id: &str,
    what: (&Money, &str),
    payer: Option<&UserId>,
) -> Ruled<Answer> {
    prepare(cx, id, what, payer).map(Answer::Payment)
}

/// Prepares a payment to the merchant `id`.
pub(super) fn prepare(
    cx: &mut Cx<'_>,
    id: &str,
    (money, order): (&Money, &str),
    payer: Option<&UserId>,
) -> Ruled<Payment> {
    let shop = trading(cx, id)?;
    if shop.currency != money.currency {
        return Err(Refused::WrongCurrency.into());
    }
    let mut made = begin(cx, (Kind::Purchase, State::Ready), money);
    (made.payee, made.note) = (id.into(), order.into());
    made.payer = payer.map(ToString::to_string).unwrap_or_default();
    made.expires = Some(cx.time() + TO_ACCEPT);
    payment::insert(cx.db(), &made)?;
    Ok(made)
}

pub(super) fn pay(
    cx: &mut Cx<'_>,
    payer: &str,
    to: &MerchantId,
    what: (&Money, &str),
) -> Ruled<Answer> {
    let shop = trading(cx, to.as_str())?;
    if shop.currency != what.0.currency {
        return Err(Refused::WrongCurrency.into());
    }
    pay_now(cx, &shop, payer, what).map(Answer::Payment)
}

/// Has `payer` pay the merchant at once.
pub(super) fn pay_now(
    cx: &mut Cx<'_>,
    shop: &Merchant,
    payer: &str,
    (money, order): (&Money, &str),
) -> Ruled<Payment> {
    let mut mine = purse(cx, payer, money)?;
    spend(cx, &mut mine, money)?;
    let mut paid = begin(cx, (Kind::Purchase, State::Paid), money);
    (paid.payer, paid.payee) = (payer.into(), shop.id.to_string());
    paid.note = order.into();
    let moved = between(mine.account, shop.pending, *money);
    if let Some(rule) = review::wanted(cx, &paid)? {
        let hold = Instruction::hold(paid.id.movement("hold", 0), moved, None);
        post(cx, vec![hold.with(code::PURCHASE, paid.id.0)])?;
        review::begin(cx, &mut paid, rule, Then::Take)?;
    } else {
        let pays = Instruction::transfer(paid.id.movement("pay", 0), moved);
        take(cx, &mut paid, shop, pays)?;
    }
    mine.write(cx.db())?;
    payment::insert(cx.db(), &paid)?;
    webhook::payment(cx, &paid)?;
    Ok(paid)
}

/// A purchase that is in `state`, and goes on.
fn open(cx: &Cx<'_>, id: PaymentId, state: State) -> Ruled<Payment> {
    let found = purchase(cx, id)?;
    if found.state != state {
        return Err(Refused::WrongState.into());
    }
    if found.expires.is_some_and(|expires| expires <= cx.time()) {
        return Err(Refused::Expired.into());
    }
    Ok(found)
}

fn purchase(cx: &Cx<'_>, id: PaymentId) -> Ruled<Payment> {
    let found = payment::find(cx.db(), id)?;
    let found = found.filter(|found| found.kind == Kind::Purchase);
    Ok(found.ok_or(Refused::NoSuchPayment)?)
}

/// A purchase that `payer` may answer.
fn asked_of(cx: &Cx<'_>, payer: &str, id: PaymentId) -> Ruled<Payment> {
    let found = purchase(cx, id)?;
    if !found.payer.is_empty() && found.payer != payer {
        return Err(Refused::NoSuchPayment.into());
    }
    open(cx, id, State::Ready)
}

pub(super) fn accept(cx: &mut Cx<'_>, payer: &str, id: PaymentId) -> Ruled<Answer> {
    let mut found = asked_of(cx, payer, id)?;
    let shop = trading(cx, &found.payee)?;
    let money = money(&found);
    let mut mine = purse(cx, payer, &money)?;
    spend(cx, &mut mine, &money)?;
    let moved = between(mine.account, shop.pending, money);
    let hold = Instruction::hold(id.movement("hold", 0), moved, None);
    post(cx, vec![hold.with(code::PURCHASE, id.0)])?;
    mine.write(cx.db())?;
    found.payer = payer.into();
    if let Some(rule) = review::wanted(cx, &found)? {
        review::begin(cx, &mut found, rule, Then::Capture)?;
        return turn(cx, found, State::Review);
    }
    found.expires = Some(cx.time() + TO_CAPTURE);
    turn(cx, found, State::Held)
}

pub(super) fn decline(cx: &mut Cx<'_>, payer: &str, id: PaymentId) -> Ruled<Answer> {
    let mut found = asked_of(cx, payer, id)?;
    found.payer = payer.into();
    found.expires = None;
    turn(cx, found, State::Declined)
}

/// The merchant's own purchase; others' are not there for it.
fn own(cx: &Cx<'_>, shop: &str, id: PaymentId) -> Ruled<Payment> {
    let found = purchase(cx, id)?;
    if found.payee != shop {
        return Err(Refused::NoSuchPayment.into());
    }
    Ok(found)
}

pub(super) fn capture(cx: &mut Cx<'_>, shop: &str, id: PaymentId) -> Ruled<Answer> {
    own(cx, shop, id)?;
    let mut found = open(cx, id, State::Held)?;
    let shop = trading(cx, shop)?;
    let hold = id.movement("hold", 0);
    let settle = Instruction::settle(id.movement("settle", 0), hold, None);
    take(cx, &mut found, &shop, settle)?;
    found.expires = None;
    turn(cx, found, State::Paid)
}

/// Does what moves the money to the merchant, and takes the fee for it.
pub(super) fn take(
    cx: &Cx<'_>,
    found: &mut Payment,
    shop: &Merchant,
    pays: Instruction,
) -> Ruled<()> {
    found.fee = part(found.amount, shop.fee.into(), 10_000);
    let book = book::find(cx.db(), found.currency)?.ok_or_else(|| damaged("currency"))?;
    let id = found.id;
    let mut chain = vec![pays.with(code::PURCHASE, id.0)];
    if let Some(fee) = some(found.fee, found) {
        let moved = between(shop.pending, book.fees, fee);
        chain.push(Instruction::transfer(id.movement("fee", 0), moved).with(code::FEE, id.0));
    }
    post(cx, chain)
}

/// `amount` times `of` in `whole`, rounded down.
fn part(amount: i64, of: i64, whole: i64) -> i64 {
    let part = i128::from(amount) * i128::from(of) / i128::from(whole);
    i64::try_from(part).expect("a part of an amount is no larger than it")
}

pub(super) fn cancel(
    cx: &mut Cx<'_>,
    shop: &str,
    id: PaymentId,
    amount: Option<Amount>,
) -> Ruled<Answer> {
    let mut found = own(cx, shop, id)?;
    let left = found.amount - found.refunded;
    let amount = amount.map_or(left, Amount::minor);
    match found.state {
        State::Ready | State::Held | State::Review if amount > left => {
            Err(Refused::ExceedsPayment.into())
        }
        // What was not taken is called off as a whole.
        State::Ready | State::Held | State::Review if amount < left => {
            Err(Refused::WrongState.into())
        }
        State::Ready => {
            found.expires = None;
            turn(cx, found, State::Canceled)
        }
        State::Held | State::Review => give_free(cx, found, State::Canceled),
        State::Paid if amount > left => Err(Refused::ExceedsPayment.into()),
        State::Paid => refund(cx, found, amount),
        _ => Err(Refused::WrongState.into()),
    }
}

/// Gives back `amount`, and the fee's part of it to the merchant.
fn refund(cx: &mut Cx<'_>, mut found: Payment, amount: i64) -> Ruled<Answer> {
    let shop = merchant::find(cx.db(), &found.payee)?.ok_or_else(|| damaged("payee"))?;
    let payer = wallet::find(cx.db(), &found.payer, found.currency)?;
    let payer = payer.ok_or_else(|| damaged("payer"))?;
    let fees = book::find(cx.db(), found.currency)?
        .ok_or_else(|| damaged("currency"))?
        .fees;
    let refunded = found.refunded + amount;
    let fee_back = part(found.fee, refunded, found.amount) - found.fee_back;
    if available(cx, shop.pending)? + fee_back < amount {
        return Err(Refused::InsufficientFunds.into());
    }
    let (id, n) = (found.id, found.refunded.unsigned_abs());
    let mut chain = Vec::new();
    if let Some(fee) = some(fee_back, &found) {
        let moved = between(fees, shop.pending, fee);
        let back = Instruction::transfer(id.movement("fee back", n), moved);
        chain.push(back.with(code::FEE_BACK, id.0));
    }
    let back = some(amount, &found).ok_or(Refused::WrongState)?;
    let moved = between(shop.pending, payer.account, back);
    chain.push(Instruction::transfer(id.movement("refund", n), moved).with(code::REFUND, id.0));
    post(cx, chain)?;
    found.refunded = refunded;
    found.fee_back += fee_back;
    let all = found.refunded == found.amount;
    turn(cx, found, if all { State::Canceled } else { State::Paid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Act, Ask, Asker, Command, Verb};
    use crate::testing::{Bench, as_user, krw, user};
    use bongsu_lane::Actor;

    fn ready(bench: &Bench, amount: i64, payer: Option<&str>) -> PaymentId {
        let verb = Verb::Ready {
            money: krw(amount),
            order: "A-1".into(),
            payer: payer.map(user),
        };
        Bench::payment(bench.shop(verb).expect("prepared")).id
    }

    #[test]
    fn a_purchase_is_paid_once_and_costs_its_fee() {
        let bench = Bench::with_shop(&[("mina", 10_000), ("juno", 10_000)]);
        let id = ready(&bench, 3_000, None);
        assert_eq!(
            bench.shop(Verb::Capture(id)).map(drop),
            Err(Refused::WrongState)
        );
        let held = bench.verb("mina", Verb::Accept(id)).map(Bench::payment);
        assert_eq!(held.map(|held| held.state), Ok(State::Held));
        assert_eq!(bench.available("mina"), 7_000);
        assert_eq!(
            bench.verb("juno", Verb::Accept(id)).map(drop),
            Err(Refused::NoSuchPayment)
        );
        let paid = bench
            .shop(Verb::Capture(id))
            .map(Bench::payment)
            .expect("paid");
        assert_eq!((paid.state, paid.fee), (State::Paid, 90));
        assert_eq!(
            bench.shop(Verb::Capture(id)).map(drop),
            Err(Refused::WrongState)
        );
        assert_eq!(bench.pending(), 2_910);
        bench.prove();
    }

    #[test]
    fn refunds_are_at_most_the_payment_and_give_the_fee_back_in_parts() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let id = ready(&bench, 3_001, Some("mina"));
        bench.verb("mina", Verb::Accept(id)).expect("held");
        bench.shop(Verb::Capture(id)).expect("paid");
        let cancel = |amount: Option<i64>| {
            let amount = amount.map(|amount| krw(amount).amount);
            let verb = Verb::Cancel {
                payment: id,
                amount,
            };
            bench.shop(verb).map(|answer| Bench::payment(answer).state)
        };
        assert_eq!(cancel(Some(3_002)), Err(Refused::ExceedsPayment));
        assert_eq!(cancel(Some(1_000)), Ok(State::Paid));
        assert_eq!(cancel(Some(2_002)), Err(Refused::ExceedsPayment));
        assert_eq!(cancel(None), Ok(State::Canceled));
        assert_eq!(cancel(None), Err(Refused::WrongState));
        assert_eq!((bench.available("mina"), bench.pending()), (10_000, 0));
        bench.prove();
    }

    #[test]
    fn what_nobody_answers_ends_by_time_and_what_is_held_goes_back() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let (never, taken) = (ready(&bench, 1_000, None), ready(&bench, 2_000, None));
        bench.verb("mina", Verb::Accept(taken)).expect("held");
        bench.pass(TO_ACCEPT);
        assert_eq!(
            bench.verb("mina", Verb::Accept(never)).map(drop),
            Err(Refused::Expired)
        );
        bench.pass(TO_CAPTURE);
        assert_eq!(
            bench.shop(Verb::Capture(taken)).map(drop),
            Err(Refused::Expired)
        );
        bench
            .ask(Actor::Platform, Command::Sweep { most: 1 })
            .expect("swept");
        assert_eq!(bench.available("mina"), 8_000);
        bench
            .ask(Actor::Platform, Command::Sweep { most: 1 })
            .expect("swept");
        assert_eq!(bench.available("mina"), 10_000);
        bench.prove();
    }

    #[test]
    fn a_merchant_is_paid_at_once_and_gives_back_as_of_any_payment() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let pay = |to: &str, money| {
            let (merchant, note) = (to.parse().expect("an id"), "bread".to_owned());
            let verb = Verb::PayMerchant {
                merchant,
                money,
                note,
            };
            bench.verb("mina", verb).map(Bench::payment)
        };
        assert_eq!(pay("none", krw(1)).map(drop), Err(Refused::NoSuchMerchant));
        let euros = Money {
            currency: "EUR".parse().expect("a currency"),
            ..krw(1)
        };
        assert_eq!(pay("shop", euros).map(drop), Err(Refused::WrongCurrency));
        let paid = pay("shop", krw(3_000)).expect("paid");
        assert_eq!((paid.state, paid.fee), (State::Paid, 90));
        let back = bench.shop(Verb::Cancel {
            payment: paid.id,
            amount: None,
        });
        let state = back.map(|back| Bench::payment(back).state);
        assert_eq!(state, Ok(State::Canceled));
        assert_eq!((bench.available("mina"), bench.pending()), (10_000, 0));
        bench.prove();
    }

    #[test]
    fn a_frozen_merchant_takes_nothing_and_may_give_back() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let (paid, held) = (ready(&bench, 1_000, None), ready(&bench, 2_000, None));
        for id in [paid, held] {
            bench.verb("mina", Verb::Accept(id)).expect("held");
        }
        bench.shop(Verb::Capture(paid)).expect("paid");
        bench.administer(Act::FreezeMerchant {
            merchant: "shop".parse().expect("an id"),
            frozen: true,
        });
        assert_eq!(
            bench.shop(Verb::Capture(held)).map(drop),
            Err(Refused::MerchantFrozen)
        );
        for payment in [paid, held] {
            bench
                .shop(Verb::Cancel {
                    payment,
                    amount: None,
                })
                .expect("given back");
        }
        assert_eq!(bench.available("mina"), 10_000);
        bench.prove();
    }

    #[test]
    fn what_the_books_cannot_count_is_refused_and_may_be_tried_by_another() {
        const MUCH: i64 = 1 << 61;
        let bench = Bench::with_shop(&[("mina", MUCH), ("juno", MUCH)]);
        bench.administer(Act::SetLimits {
            currency: bongsu_ledger::Currency::KRW,
            level: 0,
            limits: crate::command::Limits {
                payment: i64::MAX,
                day: i64::MAX,
                month: i64::MAX,
            },
        });
        for payer in ["mina", "juno", "mina"] {
            let payment = ready(&bench, MUCH, None);
            bench.verb(payer, Verb::Accept(payment)).expect("held");
            bench.shop(Verb::Capture(payment)).expect("paid");
            let amount = None;
            let back = bench.shop(Verb::Cancel { payment, amount });
            back.expect("given back");
            bench.pass(Millis::hours(24));
        }
        let id = ready(&bench, MUCH, None);
        for payer in ["mina", "juno", "mina"] {
            let (by, key, verb) = (Asker::Person, "same".to_owned(), Verb::Accept(id));
            let ask = Command::Ask(Ask { by, key, verb });
            let told = bench.ask(as_user(payer), ask).map(drop);
            assert_eq!(told, Err(Refused::TooLarge.into()), "{payer}");
            assert_eq!(bench.available(payer), MUCH);
        }
        bench.prove();
    }
}
