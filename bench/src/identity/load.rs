//! Asking the same thing again and again, on many connections.

use super::person::{Browser, Place, Tokens};
use super::{Client, What};
use crate::client::{Asked, Client as Connection};
use crate::waits::Waits;
use anyhow::{Result, ensure};
use http::StatusCode;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One who asks.
struct Asker {
    place: Place,
    what: What,
    connection: Connection,
    browser: Browser,
    tokens: Tokens,
}

impl Asker {
    async fn new(place: &Place, what: What) -> Result<Self> {
        let mut connection = Connection::connect(&place.address).await?;
        let mut browser = Browser::new(place).await?;
        let client = Self::client(place, what);
        // Without `openid` no ID token is signed beside what is measured.
        let scope = if what == What::Refresh {
            "profile"
        } else {
            "openid%20profile"
        };
        let code = browser.code(place, client, scope).await?;
        let tokens = place.redeem(&mut connection, client, &code).await?;
        Ok(Self {
            place: place.clone(),
            what,
            connection,
            browser,
            tokens,
        })
    }

    fn client(place: &Place, what: What) -> &Client {
        match what {
            What::Introspect => &place.web,
            _ => &place.shop,
        }
    }

    async fn ask(&mut self) -> Result<()> {
        let client = Self::client(&self.place, self.what);
        let asked = match self.what {
            What::Refresh => {
                let refresh = &self.tokens.refresh;
                let connection = &mut self.connection;
                self.tokens = self.place.refresh(connection, client, refresh).await?;
                return Ok(());
            }
            What::Code => {
                let scope = "openid%20profile";
                let code = self.browser.code(&self.place, client, scope).await?;
                let connection = &mut self.connection;
                self.place.redeem(connection, client, &code).await?;
                return Ok(());
            }
            What::Introspect => {
                let form = format!("token={}", self.tokens.access);
                let mut asked = Asked::form(self.place.path("introspection_endpoint"), form);
                asked.headers.extend(client.basic());
                asked
            }
            What::Userinfo => {
                let mut asked = Asked::get(self.place.path("userinfo_endpoint"));
                let bearer = format!("Bearer {}", self.tokens.access);
                asked.headers.push(("authorization", bearer));
                asked
            }
            What::Keys => Asked::get(self.place.path("jwks_uri")),
        };
        let answer = self.connection.request(asked).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let good = answer.status == StatusCode::OK && !text.contains("\"active\":false");
        ensure!(good, "{:?}: {} {text}", self.what, answer.status);
        Ok(())
    }
}

/// Asks `at_once` at a time for so long, each at one of the places in turn.
pub async fn round(places: &[Place], what: What, span: Duration, at_once: usize) -> Result<Waits> {
    let mut askers = Vec::new();
    for place in places.iter().cycle().take(at_once) {
        askers.push(Asker::new(place, what).await?);
    }
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for mut asker in askers {
        asking.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < span {
                let before = Instant::now();
                asker.ask().await?;
                took.push(before.elapsed());
            }
            anyhow::Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(took) = asking.join_next().await {
        all.extend(took??);
    }
    Waits::of(begun.elapsed(), all)
}
