//! Reads: what a gateway looks up in the view.

use crate::answer::{Kept, Merchant, Payment, Wallet};
use crate::bill::Bill;
use crate::command::Ordered;
use crate::dispute::Dispute;
use crate::id::{BillId, Hash, PaymentId, SubscriptionId};
use crate::limits;
use crate::rule::{Rule, RuleKind};
use crate::state::wallet::Purse;
use crate::state::{
    self, bill, book, code, delivery, dispute, key, merchant, payment, review, set_aside,
    subscription, wallet, webhook,
};
use crate::subscription::Subscription;
use bongsu_base::LogTime;
use bongsu_lane::ReadView;
use bongsu_ledger::{AccountId, Balance, Currency, Ledger, Page, Start, balance};
use rusqlite::Result;

pub use crate::state::delivery::Delivery;
pub use crate::state::dispute::Whose;
pub use crate::state::merchant::Settlement;
pub use crate::state::webhook::Webhook;

/// All wallets of `owner`, by currency.
pub fn wallets(view: &ReadView<'_>, owner: &str, now: LogTime) -> Result<Vec<Wallet>> {
    let all = wallet::of(view.db(), owner)?;
    all.iter()
        .map(|purse| purse.shown(view.db(), now))
        .collect()
}

/// The wallet of `owner` in `currency`.
pub fn purse(view: &ReadView<'_>, owner: &str, currency: Currency) -> Result<Option<Purse>> {
    wallet::find(view.db(), owner, currency)
}

/// The answer of a key, and what was asked when it was given.
pub fn answer(view: &ReadView<'_>, caller: &str, name: &str) -> Result<Option<(Hash, Kept)>> {
    key::find(view.db(), caller, name)
}

/// A payment, if `who` has a part in it.
pub fn payment(view: &ReadView<'_>, who: &str, id: PaymentId) -> Result<Option<Payment>> {
    let found = payment::find(view.db(), id)?;
    Ok(found.filter(|found| found.payer == who || found.payee == who))
}

/// A purchase that `payer` is asked for, or has a part in.
pub fn asked(view: &ReadView<'_>, payer: &str, id: PaymentId) -> Result<Option<Payment>> {
    let found = payment::find(view.db(), id)?;
    Ok(found.filter(|found| {
        found.kind == crate::Kind::Purchase && (found.payer.is_empty() || found.payer == payer)
    }))
}

/// A page of payments to a merchant, with their numbers.
pub fn payments_to(
    view: &ReadView<'_>,
    payee: &str,
    before: i64,
    limit: usize,
) -> Result<Vec<(i64, Payment)>> {
    payment::to(view.db(), payee, before, limit)
}

/// The merchant `id`.
pub fn merchant(view: &ReadView<'_>, id: &str) -> Result<Option<Merchant>> {
    merchant::find(view.db(), id)
}

/// A page of merchants.
pub fn merchants(view: &ReadView<'_>, after: &str, limit: usize) -> Result<Vec<Merchant>> {
    merchant::list(view.db(), after, limit)
}

/// Whose key has this hash, and until when it is taken.
pub fn holder(view: &ReadView<'_>, key: Hash) -> Result<Option<(String, Option<LogTime>)>> {
    merchant::holder(view.db(), key)
}

/// A page of a merchant's settlements.
pub fn settlements(
    view: &ReadView<'_>,
    merchant: &str,
    before: i64,
    limit: usize,
) -> Result<Vec<Settlement>> {
    merchant::settlements(view.db(), merchant, before, limit)
}

/// What an account has given and received.
pub fn account(view: &ReadView<'_>, id: AccountId) -> Result<Balance> {
    Ok(balance(view.db(), id)?.unwrap_or_default())
}

/// A page of an account's statement, each line with the payment that it is of.
pub fn statement(
    view: &ReadView<'_>,
    account: AccountId,
    start: Start,
    limit: usize,
) -> Result<Option<(Page, Vec<Option<Payment>>)>> {
    let Ok(page) = bongsu_ledger::statement(view.db(), account, start, limit)? else {
        return Ok(None);
    };
    let of = page.lines.iter().map(|line| {
        let id = PaymentId(line.transfer.user_data);
        payment::find(view.db(), id)
    });
    let of = of.collect::<Result<_>>()?;
    Ok(Some((page, of)))
}

/// The accounts that everybody shares in a currency.
pub fn book(view: &ReadView<'_>, currency: Currency) -> Result<Option<book::Book>> {
    book::find(view.db(), currency)
}

/// All ledgers, and what the bank holds in each.
pub fn ledgers(view: &ReadView<'_>) -> Result<Vec<(Ledger, Balance)>> {
    let all = Ledger::all(view.db())?;
    let with_bank = all.into_iter().map(|ledger| {
        let book = book::find(view.db(), ledger.currency)?;
        let bank = book.map_or(Ok(Balance::default()), |book| account(view, book.bank))?;
        Ok((ledger, bank))
    });
    with_bank.collect()
}

/// Whether anything has expired at `now`.
pub fn is_due(view: &ReadView<'_>, now: LogTime) -> Result<bool> {
    let payments = payment::due(view.db(), now, 1)?;
    let told = delivery::past(view.db(), limits::told_until(now), 1)?;
    let bills = bill::due(view.db(), now, 1)?;
    let codes = code::due(view.db(), now, 1)?;
    Ok(!(payments.is_empty() && told.is_empty() && bills.is_empty() && codes.is_empty()))
}

/// The bill `id` as `who` may see it.
pub fn bill(view: &ReadView<'_>, who: &str, id: BillId) -> Result<Option<Bill>> {
    let found = bill::find(view.db(), id)?;
    Ok(found.and_then(|(_, found)| found.seen_by(who)))
}

/// A page of the bills by which `who` asks, or is asked, with their numbers.
pub fn bills(
    view: &ReadView<'_>,
    (who, asks): (&str, bool),
    before: i64,
    limit: usize,
) -> Result<Vec<(i64, Bill)>> {
    let list = if asks { bill::by } else { bill::of };
    let found = list(view.db(), who, before, limit)?;
    let seen = found
        .into_iter()
        .filter_map(|(n, bill)| Some((n, bill.seen_by(who)?)));
    Ok(seen.collect())
}

/// A subscription, if `who` is its merchant or has consented to it.
pub fn subscription(
    view: &ReadView<'_>,
    who: &str,
    id: SubscriptionId,
) -> Result<Option<Subscription>> {
    let found = subscription::find(view.db(), id)?;
    Ok(found.filter(|found| found.payer == who || found.merchant == who))
}

/// To what a payer consents with a payment, if to anything.
pub fn consent(view: &ReadView<'_>, payment: PaymentId) -> Result<Option<Subscription>> {
    subscription::with(view.db(), payment)
}

/// A page of the subscriptions of a merchant, or those to which a person has consented, with their numbers.
pub fn subscriptions(
    view: &ReadView<'_>,
    (who, charges): (&str, bool),
    before: i64,
    limit: usize,
) -> Result<Vec<(i64, Subscription)>> {
    let list = if charges {
        subscription::of_merchant
    } else {
        subscription::of_payer
    };
    list(view.db(), who, before, limit)
}

/// A page of disputes, with their numbers.
pub fn disputes(
    view: &ReadView<'_>,
    whose: Whose<'_>,
    before: i64,
    limit: usize,
) -> Result<Vec<(i64, Dispute)>> {
    dispute::list(view.db(), whose, before, limit)
}

/// All rules about which payments are looked at.
pub fn rules(view: &ReadView<'_>) -> Result<Vec<(Currency, Rule)>> {
    review::rules(view.db())
}

/// A page of the payments that wait for an operator, with their numbers and why.
pub fn reviews(
    view: &ReadView<'_>,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Payment, RuleKind)>> {
    review::waiting(view.db(), after, limit)
}

/// Whether it is not known yet what the bank did with an order.
pub fn waits(view: &ReadView<'_>, ordered: &Ordered) -> Result<bool> {
    state::waits(view.db(), ordered)
}

/// Whether what the bank said of an order was set aside.
pub fn is_set_aside(view: &ReadView<'_>, ordered: &Ordered) -> Result<bool> {
    Ok(set_aside::find(view.db(), ordered)?.is_some())
}

/// When the oldest order was given of which it is not known yet what the bank did.
pub fn waits_since(view: &ReadView<'_>) -> Result<Option<LogTime>> {
    let payment = payment::oldest_at_bank(view.db())?;
    let settlement = merchant::oldest_at_bank(view.db())?;
    Ok(payment.into_iter().chain(settlement).min())
}

/// Where a merchant is told what happens.
pub fn webhook(view: &ReadView<'_>, merchant: &str) -> Result<Option<Webhook>> {
    webhook::find(view.db(), merchant)
}

/// A page of what a merchant was told.
pub fn deliveries(
    view: &ReadView<'_>,
    merchant: &str,
    before: i64,
    limit: usize,
) -> Result<Vec<Delivery>> {
    delivery::of(view.db(), merchant, before, limit)
}

/// What merchants are to be told at `now`, at most so much of each and of all, and where.
pub fn to_tell(
    view: &ReadView<'_>,
    now: LogTime,
    most: (usize, usize),
) -> Result<Vec<(Delivery, Webhook)>> {
    delivery::due(view.db(), now, most)
}

/// When the oldest happened that a merchant has still to be told.
pub fn oldest_untold(view: &ReadView<'_>) -> Result<Option<LogTime>> {
    delivery::oldest(view.db())
}
