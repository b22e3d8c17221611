//! Telling merchants what happens: where, what, and how far that is. What is due is sent after the commit by whoever
//! holds the lane's lease; what became of it comes back as a command.

use super::{Cx, Ruled, Verdict, reject};
use crate::answer::{About, Answer, Kind, Payment, Refused, Telling};
use crate::command::{Accepted, Rejected, Tried};
use crate::id::{EventId, Salt};
use crate::limits;
use crate::state::delivery::{self, Delivery};
use crate::state::merchant::Settlement;
use crate::state::webhook::{self, Webhook};
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

/// The salt of a secret that a merchant asks for.
pub(super) fn salt(cx: &Cx<'_>) -> Salt {
    Salt(cx.seed().derive("webhook", 0))
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
