//! Who pays and is paid, and what has to be in each wallet.

use super::{AT_ONCE as PAYING, PATIENCE, PROTOCOL, bank};
use crate::client::{Ask, Client, Undone};
use crate::ground::{Ground, Stage};
use crate::ledger::number;
use crate::traffic::people::{AT_ONCE, Session, calmly, register_all};
use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, stream};
use http::Method;
use serde_json::{Value, json};

/// How many people pay at the most; each has a wallet in each currency.
pub(super) const PEOPLE: usize = 125;
/// One for so many messages that are offered a second: a small drill has small traffic of every kind.
const OFFERED: usize = 6;
pub const CURRENCIES: [&str; 4] = ["KRW", "USD", "EUR", "JPY"];
/// How many are paid; of those the first few are where everybody goes.
const MERCHANTS: usize = 50;
pub const HOT: usize = 5;
/// What is in each wallet at the beginning, in minor units.
const BEGINNING: i64 = 200_000;

/// A person's wallets.
#[derive(Debug, Clone)]
pub struct Payer {
    pub user: String,
    pub token: String,
    /// What has to be in each, by currency. `None` once it is not known what became of something.
    pub has: [Option<i64>; CURRENCIES.len()],
}

/// A merchant, which is paid in one currency.
#[derive(Debug, Clone)]
pub struct Merchant {
    pub key: String,
    pub currency: usize,
}

/// Everybody.
#[derive(Debug, Clone, Default)]
pub struct Town {
    pub payers: Vec<Payer>,
    pub merchants: Vec<Merchant>,
}

/// A request that was acknowledged: whose it was, its key and what it was answered.
#[derive(Debug, Clone)]
pub struct Paid {
    pub token: String,
    pub key: String,
    pub answer: u64,
}

/// What became of a request.
pub enum Became {
    /// It was done, and answered with this.
    Done(Value),
    /// It was not, and never will be.
    Never,
    /// Nobody knows.
    Unknown,
}

impl Town {
    /// Makes accounts, wallets with money in them, and merchants.
    pub async fn build(ground: &Ground) -> Result<Self> {
        let people = (ground.rate as usize / OFFERED).clamp(PAYING, PEOPLE);
        let people = register_all(ground, "payer", people).await?;
        let payers = stream::iter(people.into_iter().enumerate())
            .map(|(n, session)| open(ground, n, session))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let merchants = stream::iter(0..MERCHANTS)
            .map(|n| merchant(ground, n))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        Ok(Self {
            payers: payers.into_iter().collect::<Result<_>>()?,
            merchants: merchants.into_iter().collect::<Result<_>>()?,
        })
    }
}

/// Somebody's wallets, with money in them.
async fn open(ground: &Ground, n: usize, session: Session) -> Result<Payer> {
    let mut client = Client::new(&ground.sites, n);
    let mut begun_all = Vec::new();
    for (currency, name) in CURRENCIES.iter().enumerate() {
        client.token.clone_from(&session.access);
        let account = json!({ "account": format!("110-{n}") });
        let much = json!({ "amount": BEGINNING, "currency": name });
        let mut begun = Value::Null;
        for (step, path, body) in [
            (0, "/pay/v1/wallet", json!({ "currency": name })),
            (1, "/pay/v1/wallet/bank-account", account),
            (2, "/pay/v1/topups", much),
        ] {
            let key = format!("begin-{currency}-{step}");
            let ask = Ask::json(Method::POST, path, &body).keyed(&key);
            begun = calmly(&mut client, &ask).await?;
        }
        begun_all.push(begun["id"].as_str().unwrap_or_default().to_owned());
    }
    let site = n % ground.sites.len();
    for id in begun_all {
        let paid = bank::answer(ground, site, &session.access, &id).await;
        ensure!(paid, "the bank did not bring {id} of {}", session.user);
    }
    Ok(Payer {
        user: session.user,
        token: session.access,
        has: [Some(BEGINNING); CURRENCIES.len()],
    })
}

async fn merchant(ground: &Ground, n: usize) -> Result<Merchant> {
    let mut client = Client::new(&ground.sites, n);
    client.token.clone_from(&ground.operator);
    let body = json!({
        "merchant": format!("shop-{n}"), "name": format!("Shop {n}"),
        "bank_account": format!("220-{n}"), "fee": 80, "currency": CURRENCIES[n % CURRENCIES.len()],
    });
    let ask = Ask::json(Method::POST, "/admin/v1/pay/merchants", &body);
    let made = calmly(&mut client, &ask).await?;
    let key = made["secret_key"]
        .as_str()
        .context("a merchant without a key")?;
    Ok(Merchant {
        key: key.to_owned(),
        currency: n % CURRENCIES.len(),
    })
}

/// Has a merchant paid what it has earned. Should nobody answer, the next time does.
pub async fn settle(client: &mut Client, operator: &str, merchant: usize) {
    operator.clone_into(&mut client.token);
    let path = format!("/admin/v1/pay/merchants/shop-{merchant}/settle");
    let ask = Ask::json(Method::POST, &path, &json!({}));
    client.once(client.site, &ask, PATIENCE).await;
}

/// Asks under `key` until it is done, and otherwise sees to it that it never is.
pub async fn insist(
    client: &mut Client,
    stage: &Stage,
    (path, key): (&str, &str),
    body: &Value,
) -> Became {
    let ask = Ask::json(Method::POST, path, body).keyed(key);
    match client.insist(stage, PROTOCOL, &ask).await {
        Ok((answer, _)) => match serde_json::from_slice(&answer) {
            Ok(answer) => Became::Done(answer),
            Err(_) => Became::Unknown,
        },
        Err(Undone::Refused(..)) => Became::Never,
        Err(Undone::GivenUp) => close(client, stage, key).await,
    }
}

async fn close(client: &mut Client, stage: &Stage, key: &str) -> Became {
    let path = format!("/pay/v1/requests/{key}/close");
    let closed = client
        .insist_json(stage, PROTOCOL, (Method::POST, &path), &json!({}))
        .await;
    match closed {
        Ok(closed) if closed["state"] == "done" => Became::Done(closed["answer"].clone()),
        Ok(_) => Became::Never,
        Err(_) => Became::Unknown,
    }
}

/// A number for an answer, whatever the order of its fields.
pub fn fingerprint(answer: &Value) -> u64 {
    number(&answer.to_string())
}
