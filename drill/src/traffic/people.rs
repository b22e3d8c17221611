//! People's accounts and sessions, as every kind of traffic needs them.

use crate::check::{self, Findings};
use crate::client::{Ask, Client, Outcome};
use crate::ground::Ground;
use crate::ledger::{Token, Told};
use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The password of everybody in the drill.
pub const PASSWORD: &str = "a beacon on every hill";
/// How long something may take while all goes well.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many do something at the same time while all goes well.
pub const AT_ONCE: usize = 16;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: String,
    /// Its access token.
    pub access: String,
    /// Its refresh token, if it was asked for.
    pub refresh: String,
}

impl Session {
    /// What a sign-in gave.
    pub fn of(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Some(Self {
            user: text("user_id")?,
            access: text("access_token")?,
            refresh: text("refresh_token").unwrap_or_default(),
        })
    }

    /// Its access token, as it has to be.
    pub fn token(&self, revoked: bool) -> Token {
        Token {
            token: self.access.clone(),
            user: self.user.clone(),
            revoked,
        }
    }
}

/// Does something while all goes well, where a refusal to try again is no surprise yet.
pub async fn calmly(client: &mut Client, ask: &Ask<'_>) -> Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.once(client.site, ask, PATIENCE).await {
            Outcome::Done(body) => return Ok(serde_json::from_slice(&body)?),
            Outcome::Told { after, .. } if Instant::now() < deadline => sleep(after).await,
            other => bail!("{ask:?}: {other:?}"),
        }
    }
}

/// Makes the account `name` at data centre `site`.
pub async fn register(ground: &Ground, site: usize, name: &str) -> Result<Session> {
    let mut client = Client::new(&ground.sites, site);
    let body =
        json!({ "username": name, "password": PASSWORD, "auth": { "type": "m.login.dummy" } });
    let ask = Ask::json(Method::POST, "/_matrix/client/v3/register", &body);
    let made = calmly(&mut client, &ask).await?;
    Session::of(&made).context("an account without a session")
}

/// Makes `count` accounts, spread over all data centres.
pub async fn register_all(ground: &Ground, prefix: &str, count: usize) -> Result<Vec<Session>> {
    let made = (0..count).map(|n| async move {
        let name = format!("{prefix}-{n}");
        register(ground, n, &name).await
    });
    let made: Vec<_> = futures_util::stream::iter(made)
        .buffered(AT_ONCE)
        .collect()
        .await;
    made.into_iter().collect()
}

/// What a sign-in with a password says.
pub fn login(user: &str, refresh: bool) -> Value {
    json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": user },
        "password": PASSWORD,
        "refresh_token": refresh,
    })
}

/// Looks in each data centre whether the tokens are good that have to be, and no others.
pub async fn check_tokens(ground: &Ground, tokens: &[Token]) -> Findings {
    check::tokens(tokens, &ask_all(ground, tokens).await)
}

/// What every data centre says to each token.
async fn ask_all(ground: &Ground, tokens: &[Token]) -> Vec<Vec<Told>> {
    everywhere(ground, tokens, |mut client, token: &Token| {
        client.token.clone_from(&token.token);
        ask(client)
    })
    .await
}

/// What every data centre says about each of `all`. Several are asked about at the same time: those of which a data centre has to
/// see first that it is up to date share that.
pub async fn everywhere<'a, T, F: Future>(
    ground: &Ground,
    all: &'a [T],
    ask: impl Fn(Client, &'a T) -> F,
) -> Vec<Vec<F::Output>> {
    let mut asked = Vec::new();
    for site in 0..ground.sites.len() {
        let here = all
            .iter()
            .map(|one| ask(Client::new(&ground.sites, site), one));
        let here: Vec<_> = here.collect();
        asked.push(futures_util::stream::iter(here).buffered(AT_ONCE).collect());
    }
    futures_util::future::join_all(asked).await
}

async fn ask(mut client: Client) -> Told {
    let deadline = Instant::now() + PATIENCE;
    let site = client.site;
    let answer = loop {
        match client.look(site, "/_matrix/client/v3/account/whoami").await {
            // It asks to be asked again: its view may not have heard of the token yet.
            Outcome::Told { after, .. } if Instant::now() < deadline => sleep(after).await,
            answer => break answer,
        }
    };
    match answer {
        Outcome::Done(body) => {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            match body["user_id"].as_str() {
                Some(user) => Told::Owner(user.to_owned()),
                None => Told::Else(body.to_string()),
            }
        }
        Outcome::Refused(StatusCode::UNAUTHORIZED, _) => Told::Refused,
        other => Told::Else(format!("{other:?}")),
    }
}
