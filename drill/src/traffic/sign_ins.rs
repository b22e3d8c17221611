//! People who sign in with a password, at whichever data centre answers, and some of whom sign out again.

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
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many sign in at the same time, the same number near each data centre.
const PEOPLE: usize = 6;
/// How often each does.
const EVERY: Duration = Duration::from_millis(1200);
/// Tokens of earlier scenarios that are looked at again at the end.
const KEPT: usize = 400;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 4;

/// Signing in and out.
#[derive(Default)]
pub struct SignIns {
    people: Mutex<Vec<Session>>,
    tokens: Remembered<Token>,
}

#[async_trait]
impl Traffic for SignIns {
    fn name(&self) -> &'static str {
        "sign-ins"
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        *self.people.lock() = register_all(ground, "visitor", PEOPLE).await?;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        let people = self.people.lock().clone();
        for (n, session) in people.into_iter().enumerate() {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.visit(n, &session.user, &stage).await });
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

impl SignIns {
    /// Signs in again and again, and out every other time.
    async fn visit(&self, n: usize, user: &str, stage: &Stage) {
        let body = login(user, false);
        let start = Instant::now() + EVERY.mul_f64(n as f64 / PEOPLE as f64);
        for count in 0_u32.. {
            stage.pass(start + EVERY * count).await;
            if stage.over() {
                return;
            }
            let mut client = Client::new(&stage.ground.sites, n);
            let path = (Method::POST, "/_matrix/client/v3/login");
            let Ok(answer) = client.insist_json(stage, self.name(), path, &body).await else {
                continue;
            };
            let Some(session) = Session::of(&answer) else {
                stage
                    .recorder
                    .error(self.name(), client.site, "200 with no token");
                continue;
            };
            client.token.clone_from(&session.access);
            let out = count % 2 == 1;
            if out {
                let leave = Ask::leave("/_matrix/client/v3/logout");
                if client.insist(stage, self.name(), &leave).await.is_err() {
                    continue;
                }
            }
            self.tokens.add(session.token(out));
        }
    }
}
