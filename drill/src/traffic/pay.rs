//! People who pay each other and merchants, and have money brought to their bank, as merchants do. What was answered
//! under a key is answered everywhere, what is in each wallet is what was paid in and out, and what the bank moved is what
//! the books say that it moved.

mod bank;
mod town;

use super::Traffic;
use super::remembered::Remembered;
use crate::check::{self, Findings};
use crate::client::{Client, Outcome};
use crate::ground::{Ground, Stage};
use anyhow::Result;
use async_trait::async_trait;
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use town::{Became, CURRENCIES, HOT, Merchant, PEOPLE, Paid, Town, fingerprint, insist, settle};

/// What the protocol is called in reports.
const PROTOCOL: &str = "payments";
/// How many pay at the same time.
const AT_ONCE: usize = 12;
/// How often each does.
const EVERY: Duration = Duration::from_millis(300);
/// The most that is paid at once, in minor units, where the most people pay. Fewer pay less each, so that an hour
/// empties no wallet.
const MOST: i64 = 900;
/// One in so many brings money to the bank, and one has a merchant's brought.
const TO_BANK: u8 = 20;
/// How many answers are looked at again at the end.
const KEPT: usize = 300;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 32;
/// How many are looked at in one data centre at a time.
const LOOKS: usize = 4;
/// How long a data centre may take to answer while nothing burns.
const PATIENCE: Duration = Duration::from_secs(60);

/// Paying.
#[derive(Default)]
pub struct Payments {
    town: Mutex<Town>,
    paid: Remembered<Paid>,
    /// Whose token it was, and which payment the bank was asked for.
    at_bank: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Traffic for Payments {
    fn name(&self) -> &'static str {
        PROTOCOL
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        *self.town.lock() = Town::build(ground).await?;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        for n in 0..AT_ONCE {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.pay(n, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let paid = self.paid.take();
        self.paid.keep(&paid, KEPT_ONE_IN, KEPT);
        let mut findings = answers(&stage.ground, &paid).await;
        let asked = std::mem::take(&mut *self.at_bank.lock());
        findings.add(bank::answered(&stage.ground, &asked).await);
        findings.add(bank::reconciled(&stage.ground).await);
        findings.add(self.balances(&stage.ground).await);
        findings.add(proofs(&stage.ground).await);
        Ok(findings)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        Ok(answers(ground, &self.paid.kept()).await)
    }
}

impl Payments {
    /// Pays again and again, out of one part of the wallets.
    async fn pay(&self, n: usize, stage: &Stage) {
        let town = self.town.lock().clone();
        let seed = stage.ground.seed ^ (u64::from(stage.round) << 32) ^ n as u64;
        let mut rng = Rng::with_seed(seed);
        let mut client = Client::new(&stage.ground.sites, n);
        let begin = Instant::now() + EVERY.mul_f64(n as f64 / AT_ONCE as f64);
        let most = MOST * town.payers.len() as i64 / PEOPLE as i64;
        for count in 0_u32.. {
            stage.pass(begin + EVERY * count).await;
            if stage.over() {
                return;
            }
            let mine = rng.usize(0..town.payers.len() / AT_ONCE) * AT_ONCE + n;
            let key = format!("{}-{n}-{count}", stage.round);
            let amount = rng.i64(1..=most.max(1));
            let currency = rng.usize(0..CURRENCIES.len());
            let named = (&town, &*key);
            match rng.u8(0..TO_BANK) {
                0 => {
                    let out = (mine, currency, amount);
                    self.withdraw(&mut client, stage, named, out).await;
                }
                1 => {
                    // A merchant of one payer alone, who has nothing given back: what it has earned is never too little.
                    let merchant = town.merchants.len() - 1 - n;
                    let bought = (mine, merchant, amount, false);
                    self.purchase(&mut client, stage, named, bought).await;
                    settle(&mut client, &stage.ground.operator, merchant).await;
                }
                even if even.is_multiple_of(2) => {
                    let other = rng.usize(0..town.payers.len());
                    if other != mine {
                        let between = (mine, other, currency, amount);
                        self.transfer(&mut client, stage, named, between).await;
                    }
                }
                _ => {
                    let merchant = match rng.u8(0..10) {
                        0 => rng.usize(HOT..town.merchants.len() - AT_ONCE),
                        _ => rng.usize(0..HOT),
                    };
                    let bought = (mine, merchant, amount, rng.u8(0..4) == 0);
                    self.purchase(&mut client, stage, named, bought).await;
                }
            }
        }
    }

    async fn withdraw(
        &self,
        client: &mut Client,
        stage: &Stage,
        (town, key): (&Town, &str),
        (who, currency, amount): (usize, usize, i64),
    ) {
        client.token.clone_from(&town.payers[who].token);
        let body = json!({ "amount": amount, "currency": CURRENCIES[currency] });
        let became = insist(client, stage, ("/pay/v1/withdrawals", key), &body).await;
        self.moved((who, currency), &became, -amount);
        self.remember(client, key, &became);
        if let Became::Done(asked) = became
            && let Some(id) = asked["id"].as_str()
        {
            let asked = (client.token.clone(), id.to_owned());
            self.at_bank.lock().push(asked);
        }
    }

    async fn transfer(
        &self,
        client: &mut Client,
        stage: &Stage,
        (town, key): (&Town, &str),
        (from, to, currency, amount): (usize, usize, usize, i64),
    ) {
        client.token.clone_from(&town.payers[from].token);
        let (to_user, name) = (&town.payers[to].user, CURRENCIES[currency]);
        let body = json!({ "to": to_user, "amount": amount, "currency": name });
        let became = insist(client, stage, ("/pay/v1/transfers", key), &body).await;
        self.moved((from, currency), &became, -amount);
        self.moved((to, currency), &became, amount);
        self.remember(client, key, &became);
    }

    /// A merchant prepares a payment, the person lets it be, the merchant takes it and may give some of it back.
    async fn purchase(
        &self,
        client: &mut Client,
        stage: &Stage,
        (town, key): (&Town, &str),
        (payer, merchant, amount, back): (usize, usize, i64, bool),
    ) {
        let Merchant {
            key: shop,
            currency,
        } = &town.merchants[merchant];
        client.token.clone_from(shop);
        let order = json!({ "amount": amount, "currency": CURRENCIES[*currency], "order": key });
        let path = "/pay/v1/merchant/ready";
        let ready = insist(client, stage, (path, key), &order).await;
        self.remember(client, key, &ready);
        let Became::Done(ready) = ready else {
            return;
        };
        let id = ready["id"].as_str().unwrap_or_default();
        let approve = format!("/pay/v1/approvals/{id}/approve");
        client.token.clone_from(&town.payers[payer].token);
        let held = insist(client, stage, (&approve, key), &json!({})).await;
        self.remember(client, key, &held);
        if !matches!(held, Became::Done(_)) {
            return;
        }
        client.token.clone_from(shop);
        let (take, give) = (format!("{key}-take"), format!("{key}-back"));
        let path = "/pay/v1/merchant/approve";
        let taken = insist(client, stage, (path, &take), &json!({ "id": id })).await;
        self.moved((payer, *currency), &taken, -amount);
        self.remember(client, &take, &taken);
        if !back || !matches!(taken, Became::Done(_)) {
            return;
        }
        let some = 1 + amount / 3;
        let body = json!({ "id": id, "amount": some });
        let path = "/pay/v1/merchant/cancel";
        let given = insist(client, stage, (path, &give), &body).await;
        self.moved((payer, *currency), &given, some);
        self.remember(client, &give, &given);
    }

    fn moved(&self, (who, currency): (usize, usize), became: &Became, amount: i64) {
        let has = &mut self.town.lock().payers[who].has[currency];
        match became {
            Became::Done(_) => *has = has.map(|has| has + amount),
            Became::Never => {}
            Became::Unknown => *has = None,
        }
    }

    fn remember(&self, client: &Client, key: &str, became: &Became) {
        if let Became::Done(answer) = became {
            self.paid.add(Paid {
                token: client.token.clone(),
                key: key.to_owned(),
                answer: fingerprint(answer),
            });
        }
    }

    /// Compares what is in every wallet, in each data centre, with what has to be.
    async fn balances(&self, ground: &Ground) -> Findings {
        let town = self.town.lock().clone();
        let all = || town.payers.iter().flat_map(|payer| payer.has);
        let known = |given: Vec<Option<u64>>| {
            let both = all().zip(given).filter(|(has, _)| has.is_some());
            both.map(|(_, given)| given).collect::<Vec<_>>()
        };
        let wanted: Vec<u64> = all().flatten().map(i64::cast_unsigned).collect();
        let mut given = Vec::new();
        for site in 0..ground.sites.len() {
            let mut asked = Vec::with_capacity(town.payers.len());
            for payer in &town.payers {
                asked.push(balances(ground, site, &payer.token));
            }
            let found: Vec<_> = stream::iter(asked).buffered(LOOKS).collect().await;
            given.push(known(found.into_iter().flatten().collect()));
        }
        check::contents("wallet", &wanted, &given)
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

/// What is in somebody's wallets.
async fn balances(ground: &Ground, site: usize, token: &str) -> [Option<u64>; CURRENCIES.len()] {
    let found = get(ground, site, token, "/pay/v1/wallet").await;
    let found = found.as_ref().and_then(Value::as_array);
    CURRENCIES.map(|name| {
        let wallet = found?.iter().find(|wallet| wallet["currency"] == name)?;
        wallet["balance"].as_i64().map(i64::cast_unsigned)
    })
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
