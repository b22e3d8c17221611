//! Looking at payments before the money moves. A rule of an operator has a payment be held until an operator releases or
//! refuses it, or a day has passed.

use super::link::{self, give_free};
use super::money::{code, post, turn};
use super::purchase::{TO_CAPTURE, take, trading};
use super::{Cx, Ruled, transfer};
use crate::answer::{Payment, Refused, State};
use crate::id::PaymentId;
use crate::rule::{Rule, RuleKind, Then};
use crate::state::review::{self, Review};
use crate::state::{damaged, payment, wallet};
use bongsu_base::{LogTime, Millis};
use bongsu_ledger::Instruction;

/// How long a payment waits.
const LASTS: Millis = Millis::hours(24);

/// By which rule a payment that is about to be made has to be looked at, if by any.
pub(super) fn wanted(cx: &Cx<'_>, new: &Payment) -> Ruled<Option<RuleKind>> {
    for rule in review::rules_of(cx.db(), new.currency)? {
        let hit = match rule {
            Rule::Amount(least) => new.amount >= least,
            Rule::Count { most, within } => {
                let since = LogTime(cx.time().0.saturating_sub(within.0));
                let nth = payment::nth_newest(cx.db(), &new.payer, most)?;
                nth.is_some_and(|made| made > since)
            }
            Rule::NewPayee(least) => {
                new.amount >= least && !payment::has_paid(cx.db(), &new.payer, &new.payee)?
            }
        };
        if hit {
            return Ok(Some(rule.kind()));
        }
    }
    Ok(None)
}

/// Has a payment wait whose money is held; whoever calls keeps the payment.
pub(super) fn begin(cx: &Cx<'_>, held: &mut Payment, rule: RuleKind, then: Then) -> Ruled<()> {
    held.state = State::Review;
    held.expires = Some(cx.time() + LASTS);
    let room = None;
    let begun = Review { rule, then, room };
    review::insert(cx.db(), held.id, &begun)?;
    Ok(())
}

/// A payment that has gone on waits no longer.
pub(super) fn follow(cx: &Cx<'_>, changed: &Payment) -> Ruled<()> {
    if changed.state != State::Review {
        review::remove(cx.db(), changed.id)?;
    }
    Ok(())
}

/// What an operator decides.
pub(super) fn decide(cx: &mut Cx<'_>, id: PaymentId, release: bool) -> Ruled<()> {
    let waits = review::find(cx.db(), id)?.ok_or(Refused::NotInReview)?;
    let mut found = payment::find(cx.db(), id)?.ok_or_else(|| damaged("payment"))?;
    if found.expires.is_some_and(|expires| expires <= cx.time()) {
        return Err(Refused::Expired.into());
    }
    if !release {
        give_free(cx, found, State::Declined)?;
        return Ok(());
    }
    let settle = Instruction::settle(id.movement("settle", 0), id.movement("hold", 0), None);
    found.expires = None;
    match waits.then {
        Then::Move => {
            post(cx, vec![settle.with(code::TRANSFER, id.0)])?;
            turn(cx, found.clone(), State::Paid)?;
            if let Some(room) = waits.room {
                transfer::show(cx, &found, room)?;
            }
        }
        Then::Take => {
            let shop = trading(cx, &found.payee)?;
            take(cx, &mut found, &shop, settle)?;
            turn(cx, found, State::Paid)?;
        }
        Then::Link => {
            count_anew(cx, &found)?;
            found.expires = Some(cx.time() + link::LASTS);
            turn(cx, found, State::Held)?;
        }
        Then::Capture => {
            count_anew(cx, &found)?;
            found.expires = Some(cx.time() + TO_CAPTURE);
            turn(cx, found, State::Held)?;
        }
    }
    Ok(())
}

/// What was held when the payer paid counts from now on as held now, so that it can be taken back later.
fn count_anew(cx: &Cx<'_>, held: &Payment) -> Ruled<()> {
    if let Some(mut purse) = wallet::find(cx.db(), &held.payer, held.currency)? {
        purse.count(cx.time(), held.changed, -held.amount);
        purse.count(cx.time(), cx.time(), held.amount);
        purse.write(cx.db())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::{BillState, NewBill, ShareState};
    use crate::command::{Accepted, Act, Command, Rejected, Verb};
    use crate::id::Hash;
    use crate::testing::{Bench, krw, user};
    use bongsu_lane::Actor;

    fn rule(bench: &Bench, rule: Rule) {
        let currency = krw(1).currency;
        bench.administer(Act::SetRule { currency, rule });
    }

    fn pay(bench: &Bench, amount: i64) -> Payment {
        let (to, money, note) = (user("juno"), krw(amount), String::new());
        let paid = bench.verb("mina", Verb::Transfer { to, money, note });
        Bench::payment(paid.expect("asked"))
    }

    fn decide(bench: &Bench, payment: PaymentId, release: bool) -> Result<Accepted, Rejected> {
        bench.try_administer(Act::Review { payment, release })
    }

    fn now(bench: &Bench, id: PaymentId) -> State {
        let found = bench.look(|db| payment::find(db, id));
        found.expect("there").state
    }

    fn sweep(bench: &Bench) {
        let sweep = Command::Sweep { most: 9 };
        bench.ask(Actor::Platform, sweep).expect("swept");
    }

    #[test]
    fn a_payment_by_a_rule_waits_until_it_is_released_refused_or_a_day_has_passed() {
        let bench = Bench::with_wallets(&[("mina", 10_000), ("juno", 0)]);
        rule(&bench, Rule::Amount(1_000));
        assert_eq!(pay(&bench, 999).state, State::Paid);
        let ids = [0; 3].map(|_| {
            let held = pay(&bench, 1_000);
            assert_eq!(held.state, State::Review);
            held.id
        });
        assert_eq!(
            (bench.available("mina"), bench.available("juno")),
            (6_001, 999)
        );
        assert_eq!(decide(&bench, ids[0], true), Ok(Accepted::Done));
        assert_eq!(decide(&bench, ids[1], false), Ok(Accepted::Done));
        for id in &ids[..2] {
            let again = decide(&bench, *id, true);
            assert_eq!(again, Err(Rejected::Refused(Refused::NotInReview)));
        }
        bench.pass(LASTS);
        let late = decide(&bench, ids[2], true);
        assert_eq!(late, Err(Rejected::Refused(Refused::Expired)));
        sweep(&bench);
        let states = ids.map(|id| now(&bench, id));
        assert_eq!(states, [State::Paid, State::Declined, State::Expired]);
        assert_eq!(
            (bench.available("mina"), bench.available("juno")),
            (8_001, 1_999)
        );
        let currency = krw(1).currency;
        let kind = RuleKind::Amount;
        bench.administer(Act::RemoveRule { currency, kind });
        assert_eq!(pay(&bench, 1_000).state, State::Paid);
        let none = bench.try_administer(Act::RemoveRule { currency, kind });
        assert_eq!(none, Err(Rejected::Refused(Refused::NoSuchRule)));
        bench.prove();
    }

    #[test]
    fn who_pays_often_or_somebody_new_is_looked_at() {
        let bench = Bench::with_wallets(&[("mina", 10_000), ("juno", 0)]);
        rule(&bench, Rule::NewPayee(100));
        assert_eq!(pay(&bench, 100).state, State::Review);
        assert_eq!(pay(&bench, 99).state, State::Paid);
        assert_eq!(pay(&bench, 100).state, State::Paid);
        let (currency, kind) = (krw(1).currency, RuleKind::NewPayee);
        bench.administer(Act::RemoveRule { currency, kind });
        let (most, within) = (3, Millis::minutes(10));
        rule(&bench, Rule::Count { most, within });
        bench.pass(within);
        let states = [0; 4].map(|_| pay(&bench, 1).state);
        let paid = State::Paid;
        assert_eq!(states, [paid, paid, paid, State::Review]);
        bench.pass(within);
        assert_eq!(pay(&bench, 1).state, State::Paid);
        for unsound in [
            Rule::Amount(0),
            Rule::NewPayee(-1),
            Rule::Count { most: 0, within },
            Rule::Count {
                most,
                within: Millis(0),
            },
        ] {
            let rule = unsound;
            let refused = bench.try_administer(Act::SetRule { currency, rule });
            assert_eq!(refused, Err(Rejected::Refused(Refused::OutOfRange)));
        }
        bench.prove();
    }

    #[test]
    fn purchases_go_on_as_they_would_have_and_merchants_may_call_them_off() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        rule(&bench, Rule::Amount(1));
        let ready = || {
            let (money, order, payer) = (krw(1_000), String::new(), None);
            let ready = bench.shop(Verb::Ready {
                money,
                order,
                payer,
            });
            let id = Bench::payment(ready.expect("prepared")).id;
            let held = bench.verb("mina", Verb::Accept(id)).map(Bench::payment);
            assert_eq!(held.map(|held| held.state), Ok(State::Review));
            id
        };
        let (taken, called_off) = (ready(), ready());
        let capture = |id| bench.shop(Verb::Capture(id)).map(drop);
        assert_eq!(capture(taken), Err(Refused::WrongState));
        assert_eq!(decide(&bench, taken, true), Ok(Accepted::Done));
        assert_eq!(capture(taken), Ok(()));
        let (payment, amount) = (called_off, None);
        let canceled = bench.shop(Verb::Cancel { payment, amount });
        assert_eq!(canceled.map(drop), Ok(()));
        let gone = decide(&bench, called_off, true);
        assert_eq!(gone, Err(Rejected::Refused(Refused::NotInReview)));
        let at_once = bench.verb(
            "mina",
            Verb::PayMerchant {
                merchant: "shop".parse().expect("an id"),
                money: krw(1_000),
                note: String::new(),
            },
        );
        let at_once = Bench::payment(at_once.expect("asked"));
        assert_eq!((at_once.state, bench.pending()), (State::Review, 970));
        assert_eq!(decide(&bench, at_once.id, true), Ok(Accepted::Done));
        assert_eq!(
            (now(&bench, at_once.id), bench.pending()),
            (State::Paid, 1_940)
        );
        assert_eq!(bench.available("mina"), 8_000);
        bench.prove();
    }

    #[test]
    fn a_link_and_a_share_wait_too_and_a_refused_share_can_be_paid_again() {
        let bench = Bench::with_wallets(&[("mina", 10_000), ("juno", 0)]);
        rule(&bench, Rule::Amount(1_000));
        let code = Hash([1; 32]);
        let (money, note) = (krw(1_000), String::new());
        let link = bench.verb("mina", Verb::MakeLink { code, money, note });
        let link = Bench::payment(link.expect("held")).id;
        let claim = || bench.verb("juno", Verb::ClaimLink(code)).map(drop);
        assert_eq!(claim(), Err(Refused::WrongState));
        bench.pass(Millis::hours(23));
        assert_eq!(decide(&bench, link, true), Ok(Accepted::Done));
        bench.pass(Millis::hours(71));
        assert_eq!(claim(), Ok(()));
        let asked = NewBill {
            note: String::new(),
            currency: krw(1).currency,
            shares: vec![(user("mina"), krw(2_000).amount)],
            lasts: Millis::hours(100),
        };
        let bill = match bench.verb("juno", Verb::MakeBill(asked)) {
            Ok(crate::Answer::Bill(bill)) => bill.id,
            other => panic!("no bill: {other:?}"),
        };
        let pay = || bench.verb("mina", Verb::PayShare(bill)).map(Bench::payment);
        let share = || {
            let (_, found) = bench
                .look(|db| crate::state::bill::find(db, bill))
                .expect("there");
            (found.state, found.shares[0].state)
        };
        for (release, expect) in [
            (false, (BillState::Open, ShareState::Open)),
            (true, (BillState::Done, ShareState::Paid)),
        ] {
            let held = pay().expect("held").id;
            assert_eq!(share(), (BillState::Open, ShareState::Review));
            assert_eq!(pay().map(drop), Err(Refused::WrongState));
            assert_eq!(decide(&bench, held, release), Ok(Accepted::Done));
            assert_eq!(share(), expect);
        }
        assert_eq!(bench.balances(&["mina", "juno"]), [7_000, 3_000]);
        bench.prove();
    }
}
