//! What people ask of each other: a bill, of which each pays a share.

use super::Api;
use super::amount::{Asking, LARGEST, currency};
use super::ask::Said;
use super::gate::{Asked, Key, Named, Paged, Paging, Payer, Reader};
use super::people::text;
use super::problem::{Problem, Refusals};
use super::wire::{PageBody, PaymentBody};
use crate::answer::{Answer, Refused};
use crate::bill::{Bill, BillState, LONGEST, MOST_SHARES, NewBill, Share, ShareState};
use crate::command::Verb;
use crate::id::BillId;
use crate::query;
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use bongsu_base::{Millis, UserId};
use bongsu_ledger::Amount;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a bill waits where nobody says: a week.
const USUAL: i64 = 7 * 24 * 60 * 60;

/// Who is asked for how much.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedShare {
    /// Who: a user id.
    person: String,
    /// How much.
    amount: Asking,
}

/// Money to ask for: either `shares`, or a `total` and the `people` among whom it is split evenly.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeBill {
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Who is asked for how much. Whoever asks may be one of them, and has nothing to pay.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    shares: Option<Vec<AskedShare>>,
    /// How much all pay together.
    #[serde(default)]
    total: Option<Asking>,
    /// Who they are: user ids. What cannot be split evenly is paid by the first of them, one minor unit each. Whoever asks
    /// may be one of them, and has nothing to pay.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    people: Option<Vec<String>>,
    /// How long they may take; a week where nobody says, at most thirty days.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2_592_000)]
    expires_in_seconds: Option<i64>,
}

/// What one person is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareBody {
    /// Who.
    pub person: String,
    /// How much, in minor units.
    pub amount: i64,
    /// How far it is: `open`, `paid`, `declined`, `own` for that of whoever asks, or `review`
    /// while an operator looks at the payment.
    pub state: &'static str,
    /// The payment with which it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
}

/// Money that a person asks of others. Amounts are minor units, times milliseconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillBody {
    /// Its id.
    pub id: String,
    /// How far it is: `open`, `done` when everybody has paid or declined, `canceled` or `expired`.
    pub state: &'static str,
    /// Who asks: a user id.
    pub asker: String,
    /// What for.
    pub note: String,
    /// Of what.
    pub currency: String,
    /// How much all shares are together.
    pub total: i64,
    /// When it began.
    pub made_ms: i64,
    /// When it last changed.
    pub changed_ms: i64,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// All shares for whoever asks; for others their own.
    pub shares: Vec<ShareBody>,
}

impl From<&Share> for ShareBody {
    fn from(share: &Share) -> Self {
        Self {
            person: share.person.clone(),
            amount: share.amount,
            state: match share.state {
                ShareState::Open => "open",
                ShareState::Paid => "paid",
                ShareState::Declined => "declined",
                ShareState::Own => "own",
                ShareState::Review => "review",
            },
            payment: share.payment.map(|id| id.to_string()),
        }
    }
}

impl From<&Bill> for BillBody {
    fn from(bill: &Bill) -> Self {
        Self {
            id: bill.id.to_string(),
            state: match bill.state {
                BillState::Open => "open",
                BillState::Done => "done",
                BillState::Canceled => "canceled",
                BillState::Expired => "expired",
            },
            asker: bill.asker.clone(),
            note: bill.note.clone(),
            currency: bill.currency.to_string(),
            total: bill.total,
            made_ms: bill.made.0,
            changed_ms: bill.changed.0,
            expires_ms: bill.expires.map(|at| at.0),
            shares: bill.shares.iter().map(ShareBody::from).collect(),
        }
    }
}

/// Whose bills.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Those by which others ask you.
    #[default]
    Asked,
    /// Your own.
    Asker,
}

/// Which bills.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those by which others ask you, where nobody says.
    #[param(inline)]
    role: Option<Role>,
}

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::<Self>::from_request_parts(parts, state).await;
        let wrong = |_| Problem::bad("invalid-query", "`role` is `asker` or `asked`");
        asked.map(|Query(which)| which).map_err(wrong)
    }
}

/// The person with this user id.
pub(super) fn person(name: &str) -> Result<UserId, Problem> {
    let wrong = |_| {
        Problem::bad(
            "invalid-user",
            "a person is a user id, as in @mina:example.org",
        )
    };
    name.parse().map_err(wrong)
}

/// The bill that a path names.
fn id(name: &str) -> Result<BillId, Problem> {
    name.parse().map_err(|_| Refused::NoSuchBill.into())
}

impl MakeBill {
    /// Who is asked for how much.
    fn shares(&self) -> Result<Vec<(UserId, Amount)>, Problem> {
        match (&self.shares, &self.total, &self.people) {
            (Some(shares), None, None) => {
                in_range(shares.len())?;
                let share = |one: &AskedShare| Ok((person(&one.person)?, one.amount.amount()?));
                shares.iter().map(share).collect()
            }
            (None, Some(total), Some(people)) => {
                in_range(people.len())?;
                let people = people.iter().map(|name| person(name));
                split(total.amount()?, people.collect::<Result<_, _>>()?)
            }
            _ => {
                let detail = "a bill has either `shares`, or a `total` and `people`";
                Err(Problem::bad("invalid-body", detail))
            }
        }
    }

    fn new_bill(self) -> Result<NewBill, Problem> {
        let shares = self.shares()?;
        let amounts = shares.iter().map(|(_, amount)| i128::from(amount.minor()));
        if amounts.sum::<i128>() > LARGEST.into() {
            return Err(Refused::TooLarge.into());
        }
        let lasts = self.expires_in_seconds.unwrap_or(USUAL);
        if !(1..=LONGEST.0 / 1_000).contains(&lasts) {
            return Err(Refused::OutOfRange.into());
        }
        Ok(NewBill {
            note: text("note", self.note)?,
            currency: currency(self.currency.as_ref())?,
            shares,
            lasts: Millis::seconds(lasts),
        })
    }
}

fn in_range(count: usize) -> Result<(), Problem> {
    if (1..=MOST_SHARES).contains(&count) {
        Ok(())
    } else {
        Err(Refused::SharesOutOfRange.into())
    }
}

/// Splits `total` evenly; what is left over is paid by the first.
fn split(total: Amount, people: Vec<UserId>) -> Result<Vec<(UserId, Amount)>, Problem> {
    let count = i64::try_from(people.len()).map_err(Problem::internal)?;
    let (each, over) = (total.minor() / count, total.minor() % count);
    let shares = people.into_iter().zip(0..).map(|(person, nth)| {
        let amount = Amount::new(each + i64::from(nth < over));
        let detail = "the total is not enough for everybody to pay at least 1";
        let amount = amount.map_err(|_| Problem::senseless("amount-zero", detail));
        Ok((person, amount?))
    });
    shares.collect()
}

impl Api {
    async fn bill(&self, payer: Payer, key: Key, verb: Verb) -> Said<BillBody> {
        match self.ask(payer, key, verb).await? {
            Answer::Bill(bill) => Ok(Json((&bill).into())),
            other => Err(Problem::internal(format!(
                "no bill was answered: {other:?}"
            ))),
        }
    }
}

/// Ask people for money: each for a share, or all for a total that is split evenly.
#[utoipa::path(post, path = "/pay/v1/bills", tag = "pay: bills", security(("person" = [])),
    params(Key), request_body = MakeBill,
    responses((status = 200, body = BillBody), Refusals))]
pub async fn make(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<MakeBill>,
) -> Said<BillBody> {
    api.bill(payer, key, Verb::MakeBill(asked.new_bill()?))
        .await
}

/// Bills by which others ask you, or your own, newest first.
#[utoipa::path(get, path = "/pay/v1/bills", tag = "pay: bills", security(("person" = [])),
    params(Which, Paging), responses((status = 200, body = PageBody<BillBody>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Reader(user): Reader,
    which: Which,
    paged: Paged,
) -> Said<PageBody<BillBody>> {
    let who = (user.as_str(), which.role == Some(Role::Asker));
    let before = paged.cursor.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| query::bills(view, who, before, paged.limit + 1));
    let found = look.await?;
    let shown = |(n, bill): &(i64, Bill)| (*n, bill.into());
    Ok(Json(PageBody::of(&found, paged.limit, shown)))
}

/// A bill that you made, or by which you are asked.
#[utoipa::path(get, path = "/pay/v1/bills/{bill}", tag = "pay: bills", security(("person" = [])),
    params(("bill" = String, Path)), responses((status = 200, body = BillBody), Refusals))]
pub async fn show(
    State(api): State<Api>,
    Reader(user): Reader,
    Named(name): Named,
) -> Said<BillBody> {
    let id = id(&name)?;
    let look = api.lane.read(|view| query::bill(view, user.as_str(), id));
    let found = look.await?.ok_or(Refused::NoSuchBill)?;
    Ok(Json((&found).into()))
}

/// Pay your share of a bill.
#[utoipa::path(post, path = "/pay/v1/bills/{bill}/pay", tag = "pay: bills", security(("person" = [])),
    params(("bill" = String, Path), Key),
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn pay(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<PaymentBody> {
    let verb = Verb::PayShare(id(&name)?);
    api.pay(payer, key, verb).await
}

/// Refuse to pay your share of a bill.
#[utoipa::path(post, path = "/pay/v1/bills/{bill}/decline", tag = "pay: bills", security(("person" = [])),
    params(("bill" = String, Path), Key),
    responses((status = 200, body = BillBody), Refusals))]
pub async fn decline(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<BillBody> {
    let verb = Verb::DeclineShare(id(&name)?);
    api.bill(payer, key, verb).await
}

/// Ask no longer; what was paid stays paid.
#[utoipa::path(post, path = "/pay/v1/bills/{bill}/cancel", tag = "pay: bills", security(("person" = [])),
    params(("bill" = String, Path), Key),
    responses((status = 200, body = BillBody), Refusals))]
pub async fn cancel(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<BillBody> {
    let verb = Verb::CancelBill(id(&name)?);
    api.bill(payer, key, verb).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_split_exactly_and_the_first_pay_what_is_left_over() {
        let people = |count: usize| (0..count).map(|n| person(&format!("@p{n}:s")));
        for (total, count, expect) in [
            (10, 3, Some(vec![4, 3, 3])),
            (9, 3, Some(vec![3, 3, 3])),
            (11, 3, Some(vec![4, 4, 3])),
            (1, 1, Some(vec![1])),
            (LARGEST, 2, Some(vec![LARGEST / 2 + 1, LARGEST / 2])),
            (2, 3, None),
        ] {
            let people = people(count).collect::<Result<Vec<_>, _>>();
            let people = people.expect("user ids");
            let shares = split(Amount::new(total).expect("an amount"), people);
            let amounts = shares.map(|all| all.iter().map(|(_, one)| one.minor()).collect());
            assert_eq!(amounts.ok(), expect, "{total} {count}");
        }
    }
}
