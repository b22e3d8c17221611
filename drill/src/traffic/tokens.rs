//! Sessions whose tokens are replaced again and again. What a new token replaced is good nowhere any more, and
//! after signing out nothing is.

use super::Traffic;
use super::people::{Session, check_tokens, login, register_all};
use super::remembered::Remembered;
use crate::check::Findings;
use crate::client::{Ask, Client};
use crate::ground::{Ground, Stage};
use crate::ledger::Token;
use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many sessions, the same number near each data centre.
const SESSIONS: usize = 12;
/// How often each gets new tokens.
const EVERY: Duration = Duration::from_millis(600);
/// After so many it ends, and another one begins.
const REFRESHES: u32 = 12;
/// Tokens of earlier scenarios that are looked at again at the end.
const KEPT: usize = 400;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 16;

/// Replacing tokens.
#[derive(Default)]
pub struct Tokens {
    people: Mutex<Vec<Session>>,
    tokens: Remembered<Token>,
}

#[async_trait]
impl Traffic for Tokens {
    fn name(&self) -> &'static str {
        "token refreshes"
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        *self.people.lock() = register_all(ground, "resident", SESSIONS).await?;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        let people = self.people.lock().clone();
        for (n, person) in people.into_iter().enumerate() {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.reside(n, &person.user, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let tokens = self.tokens.take();
        self.tokens.keep(&tokens, KEPT_ONE_IN, KEPT);
        Ok(check_tokens(&stage.ground, &tokens).await)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        Ok(check_tokens(ground, &self.tokens.kept()).await)
    }
}

impl Tokens {
    /// One session after the other, each with some tokens after another, until the stage is over.
    async fn reside(&self, n: usize, user: &str, stage: &Stage) {
        let mut client = Client::new(&stage.ground.sites, n);
        stage
            .pass(Instant::now() + EVERY.mul_f64(n as f64 / SESSIONS as f64))
            .await;
        while !stage.over() {
            client.token.clear();
            let path = (Method::POST, "/_matrix/client/v3/login");
            let body = login(user, true);
            let answer = client.insist_json(stage, self.name(), path, &body).await;
            let Some(session) = answer.ok().as_ref().and_then(Session::of) else {
                continue;
            };
            self.refresh(&mut client, session, stage).await;
        }
    }

    /// Replaces the session's tokens until it ends, or the stage does.
    async fn refresh(&self, client: &mut Client, mut session: Session, stage: &Stage) {
        for _ in 0..REFRESHES {
            stage.pass(Instant::now() + EVERY).await;
            if stage.over() {
                self.tokens.add(session.token(false));
                return;
            }
            client.token.clear();
            let path = (Method::POST, "/_matrix/client/v3/refresh");
            let body = json!({ "refresh_token": session.refresh });
            let Ok(answer) = client.insist_json(stage, self.name(), path, &body).await else {
                // What is good of it now is not known.
                return;
            };
            let Some(next) = replaced(&session, &answer) else {
                stage
                    .recorder
                    .error(self.name(), client.site, "200 with no token");
                return;
            };
            self.tokens.add(session.token(true));
            session = next;
        }
        client.token.clone_from(&session.access);
        let leave = Ask::leave("/_matrix/client/v3/logout");
        if client.insist(stage, self.name(), &leave).await.is_ok() {
            self.tokens.add(session.token(true));
        }
    }
}

/// The session with the tokens that an answer gave.
fn replaced(session: &Session, answer: &Value) -> Option<Session> {
    Some(Session {
        user: session.user.clone(),
        access: answer["access_token"].as_str()?.to_owned(),
        refresh: answer["refresh_token"].as_str()?.to_owned(),
    })
}
