//! A service of somebody else's (`examples/partner`), to which people come with their tokens all the while. It verifies them with what
//! it heard of the platform last, for as long as it says, and after that it says that it cannot tell.

mod anywhere;

use super::Traffic;
use super::handed::Handed;
use crate::check::{self, Findings, UNSURE, Visit};
use crate::client::{Ask, Client, Outcome};
use crate::day;
use crate::ground::{Ground, Site, Stage};
use crate::ledger::{Token, Told};
use crate::record::{Health, PARTNER_SITE, Recorder};
use anyhow::{Context, Result};
use anywhere::{Anywhere, made_at};
use async_trait::async_trait;
use bongsu_partner::{Partner as Program, Policy, ProviderSettings, Settings};
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// What going there is called in reports.
pub const PARTNER: &str = "partner";
/// For how many seconds it relies on what it heard: longer than until it asks again and an election of the log together, in
/// which no data centre can say that it knows everything.
const BOUND: i64 = 26;
/// How many come at the same time, and how often each.
const VISITORS: usize = 2;
const EVERY: Duration = Duration::from_millis(100);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(12);
/// How far in the future a token may have been made, in seconds, to be taken by anybody.
const AHEAD: i64 = 60;

/// Going to the service.
pub struct Partner {
    handed: Arc<Handed>,
    house: Mutex<Option<House>>,
    found: Mutex<Findings>,
}

/// The service, as it runs.
struct House {
    place: Arc<[Site]>,
    fetch: Arc<Anywhere>,
    serving: Vec<JoinHandle<()>>,
    /// Its accounts, which it has read; the folder goes with it.
    _folder: TempDir,
}

impl Drop for House {
    fn drop(&mut self) {
        for one in &self.serving {
            one.abort();
        }
    }
}

#[async_trait]
impl Traffic for Partner {
    fn name(&self) -> &'static str {
        PARTNER
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        let house = self.open(ground).await?;
        *self.house.lock() = Some(house);
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        for n in 0..VISITORS {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.come(n, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, _: &Stage) -> Result<Findings> {
        Ok(std::mem::take(&mut *self.found.lock()))
    }

    async fn check_all(&self, _: &Ground) -> Result<Findings> {
        Ok(Findings::default())
    }
}

impl Partner {
    /// Where people bring the tokens that they are `handed`.
    pub fn new(handed: Arc<Handed>) -> Self {
        let (house, found) = (Mutex::default(), Mutex::default());
        Self {
            handed,
            house,
            found,
        }
    }

    /// Opens the service.
    async fn open(&self, ground: &Ground) -> Result<House> {
        let (service, people) = self.handed.known();
        let path = "/.well-known/openid-configuration";
        let told = Client::new(&ground.sites, 0).value(0, path).await;
        let told = told.context("the platform does not say who it is")?;
        let issuer = told["issuer"]
            .as_str()
            .context("it has no name")?
            .to_owned();
        let folder = tempfile::tempdir()?;
        let accounts: Vec<Value> = people
            .iter()
            .map(|user| json!({ "name": user, "bongsu": user }))
            .collect();
        std::fs::write(
            folder.path().join("accounts.json"),
            json!(accounts).to_string(),
        )?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let nobody = ProviderSettings {
            issuer: "https://second.example".to_owned(),
            client: "nobody".to_owned(),
            secret: String::new(),
        };
        let settings = Settings {
            base_url: format!("http://{address}"),
            accounts: folder.path().join("accounts.json"),
            passwords: folder.path().join("passwords.json"),
            bongsu: ProviderSettings {
                issuer: issuer.clone(),
                client: service.id,
                secret: service.secret,
            },
            second: nobody,
            bound: BOUND,
            past: Policy::Refuse,
        };
        let fetch = Arc::new(Anywhere::new(ground.sites.clone(), issuer));
        let program = Program::with_fetch(settings, Arc::new(day::seconds), fetch.clone())?;
        let router = program.router();
        let warm = tokio::spawn(program.verifier().clone().keep_warm());
        let serving = tokio::spawn(async move {
            // It ends with the drill alone.
            let _ = axum::serve(listener, router).await;
        });
        Ok(House {
            place: Arc::new([Site {
                name: PARTNER.to_owned(),
                address,
            }]),
            fetch,
            serving: vec![warm, serving],
            _folder: folder,
        })
    }

    /// Comes again and again, by turns with a token that is good and one that was taken back.
    async fn come(&self, n: usize, stage: &Stage) {
        let opened = self.house.lock().as_ref().map(|house| {
            let (place, fetch) = (house.place.clone(), house.fetch.clone());
            (Client::new(&place, 0), fetch)
        });
        let Some((mut client, fetch)) = opened else {
            return;
        };
        let begin = Instant::now() + EVERY.mul_f64(n as f64 / VISITORS as f64);
        let mut living = Living::default();
        for count in 0_u32.. {
            stage.pass(begin + EVERY * count).await;
            if stage.over() {
                return;
            }
            let nth = count as usize / 2 * VISITORS + n;
            let brought = match count % 2 {
                0 => self.handed.good(nth).map(|token| (token, Instant::now())),
                _ => self.handed.revoked(nth),
            };
            if let Some((token, since)) = brought {
                let revoked_for = since.elapsed();
                let least = fetch.heard();
                let said = ask(&mut client, &token, &stage.recorder).await;
                // What it heard meanwhile makes what it knows newer, never older.
                let heard = (least.min(fetch.heard()), least.max(fetch.heard()));
                let two_lived_for = living.two(&stage.recorder);
                if let Some(said) = said {
                    self.judge(&Visit {
                        token,
                        revoked_for,
                        heard,
                        two_lived_for,
                        said,
                    });
                }
            }
        }
    }

    fn judge(&self, visit: &Visit) {
        let token = &visit.token;
        // It may have been taken back while it was looked at. One of the future is taken by nobody.
        let good = || self.handed.is_good(token) && !is_of_the_future(token);
        if token.revoked || good() {
            let found = check::visits(
                std::slice::from_ref(visit),
                Duration::from_secs(BOUND.unsigned_abs()),
            );
            self.found.lock().add(found);
        }
    }
}

/// Since when two data centres live.
#[derive(Default)]
struct Living(Option<Instant>);

impl Living {
    /// For how long two have been living now.
    fn two(&mut self, recorder: &Recorder) -> Duration {
        let sites = 0..crate::cluster::SITES;
        let living = sites.filter(|site| !recorder.is(*site, Health::Down));
        if living.count() < 2 {
            self.0 = None;
            return Duration::ZERO;
        }
        self.0.get_or_insert_with(Instant::now).elapsed()
    }
}

/// What it says to a token.
async fn ask(client: &mut Client, token: &Token, recorder: &Recorder) -> Option<Told> {
    client.token.clone_from(&token.token);
    let asked = Instant::now();
    let ask = Ask::get("/api/me");
    match client.once(0, &ask, PATIENCE).await {
        Outcome::Done(body) => {
            recorder.acknowledged(PARTNER, PARTNER_SITE, asked, asked);
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let account = body["account"].as_str().unwrap_or_default();
            Some(Told::Owner(account.to_owned()))
        }
        Outcome::Refused(StatusCode::UNAUTHORIZED, _) => {
            recorder.acknowledged(PARTNER, PARTNER_SITE, asked, asked);
            Some(Told::Refused)
        }
        Outcome::Told { status, .. } => {
            recorder.told(PARTNER, PARTNER_SITE, status.as_str());
            Some(Told::Else(UNSURE.to_owned()))
        }
        other => {
            let what = format!("{other:?}");
            recorder.error(PARTNER, PARTNER_SITE, &what);
            None
        }
    }
}

fn is_of_the_future(token: &Token) -> bool {
    made_at(&token.token).is_some_and(|made| made > day::seconds() + AHEAD)
}
