//! Who pays and is paid, and what has to be in each wallet.

use super::{AT_ONCE as PAYING, PATIENCE, PROTOCOL, SUSPICIOUS, bank, hooks::Hooks};
use crate::client::{Ask, Client, Undone};
use crate::ground::{Ground, Stage};
use crate::ledger::number;
use crate::traffic::people::{AT_ONCE, Session, calmly, register_all};
use anyhow::{Context, Result, ensure};
use bongsu_webhooks::Secret;
use fastrand::Rng;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many people pay where enough is offered, each out of a wallet.
pub(super) const PEOPLE: usize = 500;
/// From so many messages a second on.
const ENOUGH: u32 = 600;
/// Otherwise one for so many of them, and no fewer than that: a small drill has small traffic of every kind.
const OFFERED: usize = 6;
const LEAST: usize = 24;
pub const CURRENCIES: [&str; 4] = ["KRW", "USD", "EUR", "JPY"];
/// How many are paid; of those the first few are where everybody goes.
const MERCHANTS: usize = 50;
pub const HOT: usize = 5;
/// Of the others, one in so many is told what happens, as those are.
const TOLD_ONE_IN: usize = 3;
/// What is in each wallet at the beginning, in minor units.
const BEGINNING: i64 = 200_000;
/// For how long consents last, in milliseconds: a year.
const CONSENTED: i64 = 365 * 24 * 60 * 60 * 1_000;

/// A person with a wallet.
#[derive(Debug, Clone)]
pub struct Payer {
    pub user: String,
    pub token: String,
    pub currency: usize,
    /// What has to be in it. `None` once it is not known what became of something.
    pub has: Option<i64>,
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
    /// Until when consents last, in milliseconds since 1970.
    pub until_ms: i64,
}

/// A request that was acknowledged: whose it was, its key and what it was answered.
#[derive(Debug, Clone)]
pub struct Paid {
    pub token: String,
    pub key: String,
    pub answer: u64,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub enum Became {
    /// It was done, and answered with this.
    Done(Value),
    /// It was not, and never will be.
    Never,
    /// Nobody knows.
    Unknown,
}

impl Became {
    /// What it was answered, if it was done.
    pub fn done(&self) -> Option<&Value> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Never | Self::Unknown => None,
        }
    }
}

impl Town {
    /// Makes accounts, wallets with money in them, merchants, and rules about what is looked at.
    pub async fn build(ground: &Ground, hooks: &Arc<Hooks>) -> Result<Self> {
        let people = match ground.rate {
            ENOUGH.. => PEOPLE,
            rate => (rate as usize / OFFERED).max(LEAST),
        };
        let workers = workers(people);
        let people = register_all(ground, "payer", people).await?;
        let opened: Vec<(Payer, i64)> = stream::iter(people.into_iter().enumerate())
            .map(|(n, session)| open(ground, (n, n / workers), session))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let address = hooks.open().await?;
        let merchants = stream::iter(0..MERCHANTS)
            .map(|n| merchant(ground, hooks, n, &address))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut operator = Client::new(&ground.sites, 0);
        operator.token.clone_from(&ground.operator);
        for currency in CURRENCIES {
            let rule = json!({ "rule": "amount", "currency": currency, "at": SUSPICIOUS });
            let ask = Ask::json(Method::POST, "/admin/v1/pay/rules", &rule);
            calmly(&mut operator, &ask).await?;
        }
        let begun = opened.iter().map(|(_, begun)| *begun).max();
        Ok(Self {
            payers: opened.into_iter().map(|(payer, _)| payer).collect(),
            merchants,
            until_ms: begun.unwrap_or_default() + CONSENTED,
        })
    }

    /// How many pay at the same time, each out of wallets of its own in every currency.
    pub fn workers(&self) -> usize {
        workers(self.payers.len())
    }

    /// One of the people of `worker` who pay in `currency`.
    pub fn payer(&self, rng: &mut Rng, worker: usize, currency: usize) -> usize {
        let workers = self.workers();
        let nth = rng.usize(0..self.payers.len() / (CURRENCIES.len() * workers));
        (nth * CURRENCIES.len() + currency) * workers + worker
    }

    /// Somebody else with the same currency, unless chance meets the same one.
    pub fn other(&self, rng: &mut Rng, than: usize) -> Option<usize> {
        let worker = rng.usize(0..self.workers());
        let other = self.payer(rng, worker, self.payers[than].currency);
        (other != than).then_some(other)
    }

    /// A merchant that is paid in `currency`, nine times of ten one of those where everybody goes.
    pub fn merchant(&self, rng: &mut Rng, currency: usize) -> usize {
        let all = match rng.u8(0..10) {
            0 => HOT..MERCHANTS - self.workers(),
            _ => 0..HOT,
        };
        let fit: Vec<usize> = all
            .filter(|n| self.merchants[*n].currency == currency)
            .collect();
        fit[rng.usize(0..fit.len())]
    }

    /// The merchant at which the people of `worker` alone buy, and that is never asked to give anything back: what it has
    /// earned is never too little.
    pub fn own(worker: usize) -> usize {
        MERCHANTS - 1 - worker
    }
}

fn workers(people: usize) -> usize {
    (people / CURRENCIES.len()).clamp(1, PAYING)
}

/// What merchant `n` is called.
pub fn shop(n: usize) -> String {
    format!("shop-{n}")
}

/// Somebody's wallet, with money in it, and when that began, in milliseconds since 1970.
async fn open(
    ground: &Ground,
    (n, group): (usize, usize),
    session: Session,
) -> Result<(Payer, i64)> {
    let mut client = Client::new(&ground.sites, n);
    client.token.clone_from(&session.access);
    let currency = group % CURRENCIES.len();
    let name = CURRENCIES[currency];
    let account = json!({ "account": format!("110-{n}") });
    let much = json!({ "amount": BEGINNING, "currency": name });
    let mut begun = Value::Null;
    for (key, path, body) in [
        ("begin-0", "/pay/v1/wallet", json!({ "currency": name })),
        ("begin-1", "/pay/v1/wallet/bank-account", account),
        ("begin-2", "/pay/v1/topups", much),
    ] {
        let ask = Ask::json(Method::POST, path, &body).keyed(key);
        begun = calmly(&mut client, &ask).await?;
    }
    let id = begun["id"].as_str().unwrap_or_default();
    let site = n % ground.sites.len();
    let paid = bank::answer(ground, site, &session.access, id).await;
    ensure!(paid, "the bank did not bring {id} of {}", session.user);
    let payer = Payer {
        user: session.user,
        token: session.access,
        currency,
        has: Some(BEGINNING),
    };
    Ok((payer, begun["made_ms"].as_i64().unwrap_or_default()))
}

/// A merchant, which is told what happens if it is one of those, below `address`.
async fn merchant(ground: &Ground, hooks: &Hooks, n: usize, address: &str) -> Result<Merchant> {
    let mut client = Client::new(&ground.sites, n);
    client.token.clone_from(&ground.operator);
    let currency = n % CURRENCIES.len();
    let body = json!({
        "merchant": shop(n), "name": format!("Shop {n}"),
        "bank_account": format!("220-{n}"), "fee": 80, "currency": CURRENCIES[currency],
    });
    let ask = Ask::json(Method::POST, "/admin/v1/pay/merchants", &body);
    let made = calmly(&mut client, &ask).await?;
    let key = made["secret_key"].as_str();
    let key = key.context("a merchant without a key")?.to_owned();
    if n < HOT || n.is_multiple_of(TOLD_ONE_IN) {
        client.token.clone_from(&key);
        let body = json!({ "url": format!("{address}/{}", shop(n)) });
        let ask = Ask::json(Method::POST, "/pay/v1/merchant/webhook", &body).keyed("begin-hook");
        let set = calmly(&mut client, &ask).await?;
        let secret = set["secret"]
            .as_str()
            .context("a webhook without a secret")?;
        hooks.expect_from(shop(n), Secret::parse(secret)?);
    }
    Ok(Merchant { key, currency })
}

/// Has a merchant paid what it has earned. Should nobody answer, the next time does.
pub async fn settle(client: &mut Client, operator: &str, merchant: usize) {
    operator.clone_into(&mut client.token);
    let path = format!("/admin/v1/pay/merchants/{}/settle", shop(merchant));
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
    let ask = Ask::json(Method::POST, path, body).keyed(key).may_lack();
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
    number(answer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn town(people: usize) -> Town {
        let workers = workers(people);
        Town {
            payers: (0..people)
                .map(|n| Payer {
                    user: n.to_string(),
                    token: String::new(),
                    currency: n / workers % CURRENCIES.len(),
                    has: None,
                })
                .collect(),
            merchants: (0..MERCHANTS)
                .map(|n| Merchant {
                    key: String::new(),
                    currency: n % CURRENCIES.len(),
                })
                .collect(),
            until_ms: 0,
        }
    }

    #[test]
    fn everybody_pays_out_of_their_own_wallets_in_their_own_currency() {
        for people in [LEAST, 37, 100, PEOPLE] {
            let town = town(people);
            let mut rng = Rng::with_seed(7);
            let mut owners = vec![None; people];
            for _ in 0..20_000 {
                let worker = rng.usize(0..town.workers());
                let currency = rng.usize(0..CURRENCIES.len());
                let payer = town.payer(&mut rng, worker, currency);
                assert_eq!(town.payers[payer].currency, currency);
                assert_eq!(*owners[payer].get_or_insert(worker), worker);
                let shop = town.merchant(&mut rng, currency);
                assert_eq!(town.merchants[shop].currency, currency);
                assert!((0..town.workers()).all(|worker| Town::own(worker) != shop));
                if let Some(other) = town.other(&mut rng, payer) {
                    assert_eq!(town.payers[other].currency, currency);
                }
            }
            let workers: BTreeSet<_> = owners.iter().flatten().collect();
            assert_eq!(workers.len(), town.workers());
            let paying = owners.iter().flatten().count();
            assert!(paying > people - 4 * town.workers(), "{paying} of {people}");
        }
    }
}
