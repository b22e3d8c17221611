//! People who pay each other and merchants, and have money brought to their bank, as merchants do. What was answered
//! under a key is answered everywhere, what is in each wallet is what was paid in and out, and what the bank moved is what
//! the books say that it moved.

mod bank;
mod errand;
mod hooks;
mod things;
mod town;

use super::Traffic;
use super::remembered::Remembered;
use crate::check::{self, Findings};
use crate::client::{Client, Outcome};
use crate::ground::{Ground, Stage};
use anyhow::Result;
use async_trait::async_trait;
use errand::Errand;
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use hooks::Hooks;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use things::Thing;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use town::{CURRENCIES, PEOPLE, Paid, Town, fingerprint, settle};

/// What the protocol is called in reports.
const PROTOCOL: &str = "payments";
/// How many pay at the same time at the most.
const AT_ONCE: usize = 25;
/// How often each does.
const EVERY: Duration = Duration::from_millis(500);
/// The most that is paid at once, in minor units, where the most people pay. Fewer pay less each, so that an hour
/// empties no wallet.
const MOST: i64 = 900;
/// From how much on an operator looks at a payment first.
const SUSPICIOUS: i64 = 5_000;
/// One in so many brings money to the bank, and one of each other rare kind is.
const KINDS: u8 = 20;
/// How much more than is paid at once the bank brings, as it does seldom.
const BROUGHT: i64 = 8;
/// How many answers are looked at again at the end.
const KEPT: usize = 300;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 32;
/// How many are looked at in one data centre at a time.
const LOOKS: usize = 8;
/// How long a data centre may take to answer while nothing burns.
const PATIENCE: Duration = Duration::from_secs(60);

/// Paying.
#[derive(Default)]
pub struct Payments {
    town: Mutex<Town>,
    paid: Remembered<Paid>,
    things: Remembered<Thing>,
    hooks: Arc<Hooks>,
    /// Whose token it was, and which payment the bank was asked for.
    at_bank: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Traffic for Payments {
    fn name(&self) -> &'static str {
        PROTOCOL
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        *self.town.lock() = Town::build(ground, &self.hooks).await?;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        let workers = self.town.lock().workers();
        for n in 0..workers {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.pay(n, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let ground = &stage.ground;
        let (paid, things) = (self.paid.take(), self.things.take());
        self.paid.keep(&paid, KEPT_ONE_IN, KEPT);
        self.things.keep(&things, KEPT_ONE_IN, KEPT);
        let mut findings = answers(ground, &paid).await;
        let asked = std::mem::take(&mut *self.at_bank.lock());
        findings.add(bank::answered(ground, &asked).await);
        findings.add(bank::reconciled(ground).await);
        findings.add(self.balances(ground).await);
        findings.add(things::look(ground, &things).await);
        findings.add(proofs(ground).await);
        findings.add(self.hooks.found());
        Ok(findings)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        let mut findings = answers(ground, &self.paid.kept()).await;
        findings.add(things::look(ground, &self.things.kept()).await);
        findings.add(self.hooks.end().await);
        Ok(findings)
    }
}

impl Payments {
    /// Pays again and again, out of one part of the wallets.
    async fn pay(&self, n: usize, stage: &Stage) {
        let town = self.town.lock().clone();
        let seed = stage.ground.seed ^ (u64::from(stage.round) << 32) ^ n as u64;
        let mut rng = Rng::with_seed(seed);
        let mut client = Client::new(&stage.ground.sites, n);
        let begin = Instant::now() + EVERY.mul_f64(n as f64 / town.workers() as f64);
        let most = (MOST * town.payers.len() as i64 / PEOPLE as i64).max(1);
        for count in 0_u32.. {
            stage.pass(begin + EVERY * count).await;
            if stage.over() {
                return;
            }
            let kind = rng.u8(0..KINDS);
            let own = Town::own(n);
            let currency = match kind {
                1 => town.merchants[own].currency,
                _ => rng.usize(0..CURRENCIES.len()),
            };
            let mut errand = Errand {
                all: self,
                stage,
                town: &town,
                client: &mut client,
                key: format!("{}-{n}-{count}", stage.round),
                mine: town.payer(&mut rng, n, currency),
                amount: rng.i64(1..=most),
            };
            if kind == 1 {
                errand.purchase(own, false).await;
                settle(&mut client, &stage.ground.operator, own).await;
            } else {
                errand.run(kind, &mut rng).await;
            }
        }
    }

    /// Compares what is in every wallet, in each data centre, with what has to be.
    async fn balances(&self, ground: &Ground) -> Findings {
        let town = self.town.lock().clone();
        let known = || town.payers.iter().filter(|payer| payer.has.is_some());
        let wanted: Vec<u64> = known()
            .filter_map(|payer| payer.has)
            .map(i64::cast_unsigned)
            .collect();
        let mut given = Vec::new();
        for site in 0..ground.sites.len() {
            let mut asked = Vec::with_capacity(wanted.len());
            for payer in known() {
                asked.push(balance(ground, site, &payer.token));
            }
            given.push(stream::iter(asked).buffered(LOOKS).collect().await);
        }
        check::contents("wallet", &wanted, &given)
    }
}

impl Errand<'_> {
    /// Does something of this kind, of [`KINDS`]; most of them are to pay somebody or to buy something.
    async fn run(&mut self, kind: u8, rng: &mut Rng) {
        let currency = self.town.payers[self.mine].currency;
        let shop = self.town.merchant(rng, currency);
        let other = self.town.other(rng, self.mine);
        match (kind, other) {
            (0, _) => self.at_bank(false).await,
            (2, _) => {
                self.amount *= BROUGHT;
                self.at_bank(true).await;
            }
            (3, Some(one)) => {
                let third = self.town.other(rng, self.mine);
                let third = third.filter(|third| *third != one);
                let people: Vec<usize> = [one].into_iter().chain(third).collect();
                self.bill(&people, rng).await;
            }
            (4, _) => self.subscribe(shop, rng.u8(0..3)).await,
            (5, _) => self.dispute(shop, (rng.bool(), rng.bool())).await,
            (6, Some(other)) => self.suspicious(other, rng.bool()).await,
            (even, Some(other)) if even.is_multiple_of(2) => self.transfer(other).await,
            _ => self.purchase(shop, rng.u8(0..4) == 0).await,
        }
    }
}

/// Asks about every key: one data centre in turn about each.
async fn answers(ground: &Ground, paid: &[Paid]) -> Findings {
    let sites = ground.sites.len();
    let mut asked = Vec::with_capacity(paid.len());
    for (n, paid) in paid.iter().enumerate() {
        asked.push(answer(ground, n % sites, paid));
    }
    let found: Vec<_> = stream::iter(asked).buffered(sites * LOOKS).collect().await;
    let mut findings = Findings::default();
    for (n, (paid, answer)) in paid.iter().zip(found).enumerate() {
        let name = &ground.sites[n % sites].name;
        match answer {
            Some(answer) if answer == paid.answer => {}
            Some(_) => {
                findings.unfaithful += 1;
                let text = format!("{name} answers {} otherwise than at first", paid.key);
                findings.problem(text);
            }
            None => {
                findings.lost += 1;
                findings.problem(format!("{name} does not know that {} was done", paid.key));
            }
        }
    }
    findings
}

/// What a data centre says that was answered, if it was done.
async fn answer(ground: &Ground, site: usize, paid: &Paid) -> Option<u64> {
    let path = format!("/pay/v1/requests/{}", paid.key);
    let found = get(ground, site, &paid.token, &path).await?;
    (found["state"] == "done").then(|| fingerprint(&found["answer"]))
}

/// What is in somebody's wallet.
async fn balance(ground: &Ground, site: usize, token: &str) -> Option<u64> {
    let found = get(ground, site, token, "/pay/v1/wallet").await?;
    found[0]["balance"].as_i64().map(i64::cast_unsigned)
}

/// Asks every data centre whether its books balance.
async fn proofs(ground: &Ground) -> Findings {
    let mut findings = Findings::default();
    for (site, place) in ground.sites.iter().enumerate() {
        let proof = get(ground, site, &ground.operator, "/admin/v1/pay/proof").await;
        if proof.as_ref().is_none_or(|proof| proof["sound"] != true) {
            findings.diverged += 1;
            findings.problem(format!(
                "the books of {} do not balance: {proof:?}",
                place.name
            ));
        }
    }
    findings
}

/// What a data centre says while nothing burns.
async fn get(ground: &Ground, site: usize, token: &str, path: &str) -> Option<Value> {
    let mut client = Client::new(&ground.sites, site);
    token.clone_into(&mut client.token);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.look(site, path).await {
            Outcome::Done(body) => return serde_json::from_slice(&body).ok(),
            Outcome::Told { after, .. } if Instant::now() < deadline => sleep(after).await,
            _ => return None,
        }
    }
}
