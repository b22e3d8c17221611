//! People who sign in to another service with their account here: on the pages, with a code, and with tokens that
//! the service replaces, asks about, and takes back in the end.

mod browser;

use super::Traffic;
use super::handed::{Handed, Service};
use super::people::{Session, calmly, everywhere, register_all};
use super::remembered::Remembered;
use crate::check::{self, Findings};
use crate::client::{Ask, Client, Outcome};
use crate::ground::{Ground, Stage};
use crate::ledger::{Token, Told};
use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use browser::{Browser, REDIRECT, Stopped};
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// What the protocol is called in reports.
const PROTOCOL: &str = "OpenID";
/// How many people, the same number near each data centre.
const PEOPLE: usize = 15;
/// How many sign in before anything burns.
const FIRST: usize = 3;
/// How often the service replaces each one's tokens.
const EVERY: Duration = Duration::from_millis(700);
/// After so many times it takes them back, and the person signs in again.
const REFRESHES: u32 = 10;
/// How many tokens that were taken back are looked at again at the end.
const KEPT: usize = 200;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 8;
/// How long asking about a token may take while nothing burns.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the service keeps to itself until it redeems the code (RFC 7636).
const VERIFIER: &str = "what-one-client-of-the-drill-keeps-to-itself-alone";

/// What the service has of a person.
#[derive(Debug, Clone)]
struct Grant {
    access: String,
    refresh: String,
}

/// Signing in to another service.
pub struct OpenId {
    people: Mutex<Vec<Session>>,
    service: Mutex<Service>,
    /// What people have of it, for whoever goes elsewhere with it.
    handed: Arc<Handed>,
    tokens: Remembered<Token>,
}

#[async_trait]
impl Traffic for OpenId {
    fn name(&self) -> &'static str {
        PROTOCOL
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        let body = json!({
            "client_name": "A service of the drill", "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let ask = Ask::json(Method::POST, "/oauth2/register", &body);
        let mut client = Client::new(&ground.sites, 0);
        let made = calmly(&mut client, &ask).await?;
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        let service = Service {
            id: text("client_id").context("a client without an id")?,
            secret: text("client_secret").context("a client without a secret")?,
        };
        let people = register_all(ground, "citizen", PEOPLE).await?;
        let users = people.iter().map(|person| person.user.clone()).collect();
        self.handed.begin(service.clone(), users);
        for (n, person) in people.iter().enumerate().take(FIRST) {
            let client = Client::new(&ground.sites, n);
            let grant = service.calmly(client, &person.user).await?;
            self.handed.give(n, &grant.access, &person.user);
        }
        *self.service.lock() = service;
        *self.people.lock() = people;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        let people = self.people.lock().clone();
        for (n, person) in people.into_iter().enumerate() {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.serve(n, &person.user, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let tokens = self.tokens.take();
        let findings = self.look(&stage.ground, &tokens).await;
        // Those that are good run out before the end.
        let gone: Vec<Token> = tokens.into_iter().filter(|token| token.revoked).collect();
        self.tokens.keep(&gone, KEPT_ONE_IN, KEPT);
        Ok(findings)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        Ok(self.look(ground, &self.tokens.kept()).await)
    }
}

impl OpenId {
    /// Signing in to a service, of which tokens are `handed` on.
    pub fn new(handed: Arc<Handed>) -> Self {
        Self {
            people: Mutex::default(),
            service: Mutex::default(),
            tokens: Remembered::default(),
            handed,
        }
    }

    /// One session of `user` after the other, until the stage is over.
    async fn serve(&self, n: usize, user: &str, stage: &Stage) {
        let service = self.service.lock().clone();
        let mut client = Client::new(&stage.ground.sites, n);
        let begin = Instant::now() + EVERY.mul_f64(n as f64 / PEOPLE as f64);
        stage.pass(begin).await;
        while !stage.over() {
            match service.begin(&mut client, user, stage).await {
                Some(grant) => {
                    let person = (n, &mut client, user);
                    self.keep_up(&service, person, grant, stage).await;
                }
                None => stage.pass(Instant::now() + EVERY).await,
            }
        }
    }

    /// Replaces the tokens and asks about them, until they are taken back or the stage is over.
    async fn keep_up(
        &self,
        service: &Service,
        (n, client, user): (usize, &mut Client, &str),
        mut grant: Grant,
        stage: &Stage,
    ) {
        let mut had = vec![grant.access.clone()];
        self.handed.give(n, &grant.access, user);
        let mut ended = false;
        for _ in 0..REFRESHES {
            stage.pass(Instant::now() + EVERY).await;
            if stage.over() {
                break;
            }
            let Some(next) = service.refresh(client, &grant, stage).await else {
                self.handed.doubt(n);
                return;
            };
            // As one does whose answer was lost: wherever it is asked, the answer is the same.
            client.site = (client.site + 1) % stage.ground.sites.len();
            match service.refresh(client, &grant, stage).await {
                Some(again) if again.refresh != next.refresh => {
                    let site = client.site;
                    let what = "a refresh gave two answers";
                    stage.recorder.error(PROTOCOL, site, what);
                    self.handed.doubt(n);
                    return;
                }
                Some(again) => had.push(again.access),
                None => {
                    self.handed.doubt(n);
                    return;
                }
            }
            had.push(next.access.clone());
            grant = next;
            self.handed.give(n, &grant.access, user);
            service.ask(client, &grant.access, user, stage).await;
        }
        if !stage.over() {
            self.handed.doubt(n);
            let fields = service.fields(&[("token", &grant.refresh)]);
            let ask = Ask::form("/oauth2/revoke", &fields);
            if client.insist(stage, PROTOCOL, &ask).await.is_err() {
                return;
            }
            self.handed.revoke(&grant.access, user);
            ended = true;
        }
        for token in had {
            self.tokens.add(Token {
                token,
                user: user.to_owned(),
                revoked: ended,
            });
        }
    }

    /// Asks every data centre about the tokens.
    async fn look(&self, ground: &Ground, tokens: &[Token]) -> Findings {
        let service = self.service.lock().clone();
        let told = everywhere(ground, tokens, |client, token: &Token| {
            service.told(client, &token.token)
        });
        check::tokens(tokens, &told.await)
    }
}

impl Service {
    /// The fields with which it shows that it is the one, and these.
    fn fields<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("client_id", self.id.as_str()),
            ("client_secret", self.secret.as_str()),
        ];
        all.extend(more);
        all
    }

    /// Has `user` sign in, as often as that is needed: whoever does not know what became of a form begins again.
    async fn begin(&self, client: &mut Client, user: &str, stage: &Stage) -> Option<Grant> {
        let (recorder, first) = (&stage.recorder, Instant::now());
        let mut browser = Browser::default();
        let mut tried = 0;
        loop {
            let (site, asked) = (client.site, Instant::now());
            let before = recorder.look(site);
            let stopped = match browser.sign_in(client, self, user).await {
                Ok(code) => match self.redeem(client, &code).await {
                    Ok(grant) => {
                        recorder.acknowledged(PROTOCOL, site, asked, first);
                        return Some(grant);
                    }
                    Err(stopped) => stopped,
                },
                Err(stopped) => stopped,
            };
            match stopped {
                Stopped::Told(status, after) => {
                    let what = format!("{} and Retry-After", status.as_u16());
                    recorder.told(PROTOCOL, site, &what);
                    sleep(after).await;
                }
                Stopped::Lost(lost) => {
                    recorder.unanswered(PROTOCOL, site, lost.words(), before, false);
                }
                Stopped::Odd(what) => {
                    recorder.error(PROTOCOL, site, &what);
                    return None;
                }
            }
            if stage.over() {
                return None;
            }
            client.elsewhere(&mut tried).await;
        }
    }

    /// The same while all goes well.
    async fn calmly(&self, mut client: Client, user: &str) -> Result<Grant> {
        let deadline = Instant::now() + PATIENCE;
        let mut browser = Browser::default();
        loop {
            let stopped = match browser.sign_in(&mut client, self, user).await {
                Ok(code) => match self.redeem(&mut client, &code).await {
                    Ok(grant) => return Ok(grant),
                    Err(stopped) => stopped,
                },
                Err(stopped) => stopped,
            };
            match stopped {
                Stopped::Told(_, after) if Instant::now() < deadline => sleep(after).await,
                other => bail!("{user} cannot sign in: {other:?}"),
            }
        }
    }

    /// Redeems a code, which is good once: an answer that is lost is lost.
    async fn redeem(&self, client: &mut Client, code: &str) -> Result<Grant, Stopped> {
        let fields = self.fields(&[
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("code", code),
        ]);
        let ask = Ask::form("/oauth2/token", &fields);
        match client.once(client.site, &ask, PATIENCE).await {
            Outcome::Done(body) => {
                let body = serde_json::from_slice(&body).unwrap_or_default();
                Grant::of(&body).ok_or_else(|| Stopped::Odd("200 with no token".to_owned()))
            }
            Outcome::Told { status, after } => Err(Stopped::Told(status, after)),
            Outcome::Refused(status, _) => {
                Err(Stopped::Odd(format!("{} to a code", status.as_u16())))
            }
            Outcome::Lost(lost) => Err(Stopped::Lost(lost)),
        }
    }

    async fn refresh(&self, client: &mut Client, grant: &Grant, stage: &Stage) -> Option<Grant> {
        let fields = self.fields(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &grant.refresh),
        ]);
        let ask = Ask::form("/oauth2/token", &fields);
        let (body, site) = client.insist(stage, PROTOCOL, &ask).await.ok()?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let grant = Grant::of(&body);
        if grant.is_none() {
            stage.recorder.error(PROTOCOL, site, "200 with no token");
        }
        grant
    }

    /// Asks about a token that has to be good.
    async fn ask(&self, client: &mut Client, token: &str, user: &str, stage: &Stage) {
        let fields = self.fields(&[("token", token)]);
        let ask = Ask::form("/oauth2/introspect", &fields);
        let Ok((body, site)) = client.insist(stage, PROTOCOL, &ask).await else {
            return;
        };
        if said(&body) != Told::Owner(user.to_owned()) {
            stage
                .recorder
                .error(PROTOCOL, site, "a good token is not known");
        }
    }

    /// What a data centre says about a token while nothing burns.
    async fn told(&self, mut client: Client, token: &str) -> Told {
        let fields = self.fields(&[("token", token)]);
        let ask = Ask::form("/oauth2/introspect", &fields);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match client.once(client.site, &ask, PATIENCE).await {
                Outcome::Told { after, .. } if Instant::now() < deadline => sleep(after).await,
                Outcome::Done(body) => return said(&body),
                other => return Told::Else(format!("{other:?}")),
            }
        }
    }
}

impl Grant {
    fn of(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Some(Self {
            access: text("access_token")?,
            refresh: text("refresh_token")?,
        })
    }
}

/// What introspection says (RFC 7662, section 2.2).
fn said(body: &[u8]) -> Told {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    match (said["active"].as_bool(), said["sub"].as_str()) {
        (Some(true), Some(user)) => Told::Owner(user.to_owned()),
        (Some(false), _) => Told::Refused,
        _ => Told::Else(said.to_string()),
    }
}
