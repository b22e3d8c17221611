//! Telling merchants what happens: where, what, and how far that is. What is due is sent after the commit by whoever
//! holds the lane's lease; what became of it comes back as a command.

use super::{Cx, Ruled, Verdict, reject};
use crate::answer::{About, Answer, Kind, Payment, Refused, Telling};
use crate::command::{Accepted, Rejected, Tried};
use crate::dispute::Dispute;
use crate::id::{EventId, KeyName, Salt};
use crate::limits;
use crate::state::delivery::{self, Delivery};
use crate::state::merchant::Settlement;
use crate::state::webhook::{self, Webhook};
use crate::subscription::Subscription;
use bongsu_base::Millis;
use bongsu_lane::Actor;

/// How long the secret before the present one signs too.
const OVERLAP: Millis = Millis::hours(24);
/// How long to wait after each attempt that failed; the last one again and again.
const PAUSES: [Millis; 7] = [
    Millis::seconds(5),
    Millis::seconds(30),
    Millis::minutes(2),
    Millis::minutes(10),
    Millis::hours(1),
    Millis::hours(6),
    Millis::hours(12),
];
/// How long it is tried.
const TRIED_FOR: Millis = Millis::hours(72);

/// Has a merchant be told at `url`, or where it is told already, with the secret of `salt`.
pub(super) fn set(cx: &Cx<'_>, shop: &str, url: Option<&str>, salt: Salt) -> Ruled<Answer> {
    let before = webhook::find(cx.db(), shop)?;
    let told_at = before.as_ref().map(|before| before.url.clone());
    let url = url.map(ToOwned::to_owned).or(told_at);
    let set = Webhook {
        url: url.ok_or(Refused::NoWebhook)?,
        salt,
        old: before.map(|before| (before.salt, cx.time() + OVERLAP)),
    };
    webhook::write(cx.db(), shop, &set)?;
    let url = set.url;
    Ok(Answer::Webhook { url, salt })
}

/// The salt of a secret that a merchant asks for, to be made of `key`.
pub(super) fn salt(cx: &Cx<'_>, key: KeyName) -> Salt {
    Salt::new(key, cx.seed().derive("webhook", 0))
}

pub(super) fn remove(cx: &Cx<'_>, shop: &str) -> Ruled<Answer> {
    webhook::find(cx.db(), shop)?.ok_or(Refused::NoWebhook)?;
    webhook::remove(cx.db(), shop)?;
    delivery::stop(cx.db(), shop)?;
    Ok(Answer::WebhookRemoved)
}

/// Begins another round of attempts.
pub(super) fn again(cx: &Cx<'_>, shop: &str, id: EventId) -> Ruled<Answer> {
    let found = delivery::find(cx.db(), id)?.filter(|found| found.merchant == shop);
    let mut found = found.ok_or(Refused::NoSuchEvent)?;
    webhook::find(cx.db(), shop)?.ok_or(Refused::NoWebhook)?;
    found.state = Telling::Waiting;
    (found.begun, found.earlier) = (cx.time(), found.attempts);
    found.next = Some(cx.time());
    delivery::update(cx.db(), &found)?;
    Ok(Answer::ToldAgain(id))
}

/// The merchant that a purchase is of is told how it is now.
pub(super) fn payment(cx: &Cx<'_>, payment: &Payment) -> rusqlite::Result<()> {
    if payment.kind != Kind::Purchase {
        return Ok(());
    }
    tell(cx, &payment.payee, || About::Payment(payment.clone()))
}

/// A merchant is told how a settlement of its own is now.
pub(super) fn settlement(cx: &Cx<'_>, settlement: Settlement) -> rusqlite::Result<()> {
    let merchant = settlement.merchant.clone();
    tell(cx, &merchant, || About::Settlement(settlement))
}

/// A merchant is told how a subscription to it is now.
pub(super) fn subscription(cx: &Cx<'_>, subscription: &Subscription) -> rusqlite::Result<()> {
    let about = || About::Subscription(subscription.clone());
    tell(cx, &subscription.merchant, about)
}

/// A merchant is told how a dispute with it is now.
pub(super) fn dispute(cx: &Cx<'_>, dispute: &Dispute) -> rusqlite::Result<()> {
    let about = || About::Dispute(dispute.clone());
    tell(cx, &dispute.merchant, about)
}

fn tell(cx: &Cx<'_>, merchant: &str, about: impl FnOnce() -> About) -> rusqlite::Result<()> {
    if webhook::find(cx.db(), merchant)?.is_none() {
        return Ok(());
    }
    delivery::insert(cx.db(), cx.time(), (merchant, &about()))
}

/// Writes down what became of attempts.
pub(super) fn tried(cx: &Cx<'_>, all: &[Tried]) -> Verdict {
    if *cx.actor() != Actor::Platform {
        return Err(reject(Rejected::NotAllowed));
    }
    let mut told = Vec::new();
    for one in all {
        if let Some(found) = delivery::numbered(cx.db(), one.n)?
            && let Some(changed) = outcome(cx, found, one)
        {
            delivery::update(cx.db(), &changed)?;
            told.push(changed.state);
        }
    }
    Ok(Accepted::Tried(told))
}

/// What an attempt makes of what waits. One that failed counts once, should two have made it.
fn outcome(cx: &Cx<'_>, mut found: Delivery, tried: &Tried) -> Option<Delivery> {
    let taken = tried
        .status
        .is_some_and(|status| (200..300).contains(&status));
    if found.state != Telling::Waiting || !taken && tried.before != found.attempts {
        return None;
    }
    let failed = found.attempts.saturating_sub(found.earlier);
    found.attempts += 1;
    found.status = tried.status;
    let pause = PAUSES[PAUSES.len().min(failed as usize + 1) - 1];
    let next = cx.time() + pause;
    (found.state, found.next) = if taken {
        (Telling::Delivered, None)
    } else if next.since(found.begun) > TRIED_FOR {
        (Telling::GivenUp, None)
    } else {
        (Telling::Waiting, Some(next))
    };
    Some(found)
}

/// Forgets up to `most` that were told, or not, long ago.
pub(super) fn forget(cx: &Cx<'_>, most: u32) -> rusqlite::Result<()> {
    for n in delivery::past(cx.db(), limits::told_until(cx.time()), most)? {
        delivery::forget(cx.db(), n)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Act, BankSaid, Command, Ordered, Verb};
    use crate::id::{Hash, PaymentId};
    use crate::testing::{Bench, krw};

    fn told_at(bench: &Bench, url: &str) {
        let (url, key) = (url.to_owned(), KeyName([1; 8]));
        bench.shop(Verb::SetWebhook { url, key }).expect("set");
    }

    fn ready(bench: &Bench) -> PaymentId {
        let (money, order, payer) = (krw(1_000), "A-1".to_owned(), None);
        let ready = bench.shop(Verb::Ready {
            money,
            order,
            payer,
        });
        Bench::payment(ready.expect("prepared")).id
    }

    /// What the merchant is told, newest first.
    fn told(bench: &Bench) -> Vec<Delivery> {
        bench.look(|db| delivery::of(db, "shop", i64::MAX, 99))
    }

    fn try_once(bench: &Bench, one: &Delivery, status: Option<u16>) -> Vec<Telling> {
        let (n, before) = (one.n, one.attempts);
        let tried = Command::Tried(vec![Tried { n, before, status }]);
        match bench.ask(Actor::Platform, tried) {
            Ok(Accepted::Tried(told)) => told,
            other => panic!("another answer: {other:?}"),
        }
    }

    #[test]
    fn each_change_is_told_once_as_it_was_then_to_whoever_wants_it() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        bench.buy("mina", 500);
        assert_eq!(told(&bench), []);
        told_at(&bench, "https://shop.example/");
        let cancel = |payment, amount: Option<i64>| {
            let amount = amount.map(|amount| krw(amount).amount);
            let canceled = bench.shop(Verb::Cancel { payment, amount });
            canceled.expect("given back");
        };
        let paid = ready(&bench);
        bench.verb("mina", Verb::Accept(paid)).expect("held");
        bench.shop(Verb::Capture(paid)).expect("paid");
        for amount in [Some(100), Some(200), None] {
            cancel(paid, amount);
        }
        bench
            .verb("mina", Verb::Decline(ready(&bench)))
            .expect("no");
        let (unanswered, code) = (ready(&bench), Hash([1; 32]));
        bench.verb("mina", Verb::ShowCode(code)).expect("shown");
        let (money, order) = (krw(700), "A-2".to_owned());
        let charge = Verb::Charge { code, money, order };
        bench.shop(charge).expect("paid");
        bench.pass(Millis::hours(1));
        let sweep = Command::Sweep { most: 9 };
        bench.ask(Actor::Platform, sweep).expect("swept");
        bench.administer(Act::Settle("shop".parse().expect("an id")));
        let order = Ordered::Settlement(1);
        let reference = "B1".into();
        let said = BankSaid::Done { reference };
        let said = Command::BankSaid { order, said };
        bench.ask(Actor::Platform, said).expect("written down");
        let all = told(&bench);
        let mut kinds: Vec<&str> = all.iter().map(|one| one.about.kind()).collect();
        kinds.reverse();
        assert_eq!(
            kinds,
            [
                "payment.approved",
                "payment.paid",
                "payment.partially_canceled",
                "payment.partially_canceled",
                "payment.canceled",
                "payment.declined",
                "payment.paid",
                "payment.expired",
                "settlement.paid",
            ]
        );
        let mut ids: Vec<EventId> = all.iter().map(|one| one.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        let now = bench.now();
        let due = |each| bench.look(|db| delivery::due(db, now, (each, 99))).len();
        assert_eq!([due(2), due(99)], [2, all.len()]);
        let About::Payment(expired) = &all[1].about else {
            panic!("no payment: {:?}", all[1]);
        };
        assert_eq!((expired.id, expired.expires), (unanswered, None));
        assert_eq!(all[1].made, bench.now());
    }

    #[test]
    fn what_is_not_taken_is_tried_with_growing_pauses_for_days_and_then_given_up() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        told_at(&bench, "https://shop.example/");
        bench
            .verb("mina", Verb::Decline(ready(&bench)))
            .expect("no");
        let mut pauses = Vec::new();
        let first = told(&bench).remove(0);
        let mut one = first.clone();
        while one.state == Telling::Waiting {
            let due = |bench: &Bench| {
                let now = bench.now();
                let due = bench.look(|db| delivery::due(db, now, (4, 9)));
                due.into_iter().map(|(one, _)| one).collect::<Vec<_>>()
            };
            assert_eq!(due(&bench), [one.clone()]);
            let answered = [None, Some(500), Some(302)][one.attempts as usize % 3];
            try_once(&bench, &one, answered);
            // Another process tried the same.
            assert_eq!(try_once(&bench, &one, answered), []);
            assert_eq!(due(&bench), []);
            one = told(&bench).remove(0);
            assert_eq!((one.id, &one.about), (first.id, &first.about));
            if let Some(next) = one.next {
                let pause = next.since(bench.now());
                pauses.push(pause.0 / 1_000);
                bench.pass(pause);
            }
        }
        let half_a_day = 12 * 3_600;
        let [a, b, c, d, e] = [half_a_day; 5];
        assert_eq!(pauses, [5, 30, 120, 600, 3_600, 21_600, a, b, c, d, e]);
        assert_eq!((one.state, one.attempts), (Telling::GivenUp, 12));
        assert_eq!(bench.shop(Verb::TellAgain(one.id)).map(drop), Ok(()));
        let one = told(&bench).remove(0);
        assert_eq!((one.next, one.attempts), (Some(bench.now()), 12));
        assert_eq!(try_once(&bench, &one, None), [Telling::Waiting]);
        let one = told(&bench).remove(0);
        assert_eq!(one.next, Some(bench.now() + Millis::seconds(5)));
        assert_eq!(try_once(&bench, &one, Some(204)), [Telling::Delivered]);
        assert_eq!(try_once(&bench, &one, Some(204)), []);
    }

    #[test]
    fn a_removed_address_is_told_nothing_and_what_is_old_is_forgotten() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        assert_eq!(
            bench
                .shop(Verb::RotateWebhook {
                    key: KeyName([1; 8])
                })
                .map(drop),
            Err(Refused::NoWebhook)
        );
        told_at(&bench, "https://shop.example/");
        bench
            .verb("mina", Verb::Decline(ready(&bench)))
            .expect("no");
        let waiting = told(&bench).remove(0);
        bench.shop(Verb::RemoveWebhook).expect("removed");
        bench
            .verb("mina", Verb::Decline(ready(&bench)))
            .expect("no");
        assert_eq!(try_once(&bench, &waiting, Some(200)), []);
        let left = told(&bench);
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].state, left[0].next), (Telling::Stopped, None));
        assert_eq!(
            bench.shop(Verb::TellAgain(waiting.id)).map(drop),
            Err(Refused::NoWebhook)
        );
        let sweep = || {
            let sweep = Command::Sweep { most: 9 };
            bench.ask(Actor::Platform, sweep).expect("swept");
            told(&bench).len()
        };
        bench.pass(Millis::hours(24 * 30));
        assert_eq!(sweep(), 1);
        bench.pass(Millis(1));
        assert_eq!(sweep(), 0);
    }

    #[test]
    fn what_became_of_attempts_is_the_platforms_to_say() {
        let bench = Bench::with_shop(&[]);
        let said = bench.ask(Actor::Nobody, Command::Tried(Vec::new()));
        assert_eq!(said, Err(Rejected::NotAllowed));
    }
}
