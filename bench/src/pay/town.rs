//! People with wallets who pay each other over HTTP, each over a connection of their own.

use crate::client::{Asked, Client};
use crate::server::Server;
use crate::waits::Waits;
use anyhow::{Context, Result, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What is in each wallet at the beginning.
const BEGINNING: i64 = 250_000;
/// The operator.
const OPERATOR: &str = "warden";
/// No key is used twice.
static KEY: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone)]
struct Wallet {
    user: String,
    token: String,
}

/// Everybody.
pub struct Town {
    address: String,
    wallets: Vec<Wallet>,
}

impl Town {
    /// Makes `count` accounts, and wallets with money in them.
    pub async fn build(server: &Server, binary: &Path, count: usize) -> Result<Self> {
        let added = Command::new(binary)
            .args(["user", "add", OPERATOR, "--admin", "--json", "--data"])
            .arg(server.folder())
            .output()?;
        ensure!(added.status.success(), "there is no operator");
        let added: Value = serde_json::from_slice(&added.stdout)?;
        let password = added["password"].as_str().context("a password")?;
        let mut client = Client::connect(&server.address).await?;
        let who = json!({ "type": "m.id.user", "user": OPERATOR });
        let body = json!({ "type": "m.login.password", "identifier": who, "password": password });
        let answer = send(&mut client, "", "/_matrix/client/v3/login", &body).await?;
        let operator = answer["access_token"]
            .as_str()
            .context("a token")?
            .to_owned();
        let mut wallets = Vec::with_capacity(count);
        for n in 0..count {
            let auth = json!({ "type": "m.login.dummy" });
            let body =
                json!({ "username": format!("payer-{n}"), "password": "benchmark", "auth": auth });
            let made = send(&mut client, "", "/_matrix/client/v3/register", &body).await?;
            let text = |name: &str| made[name].as_str().map(str::to_owned);
            let wallet = Wallet {
                user: text("user_id").context("a user")?,
                token: text("access_token").context("a token")?,
            };
            let account = json!({ "account": format!("110-{n}") });
            for (path, body) in [("wallet", json!({})), ("wallet/bank-account", account)] {
                send(
                    &mut client,
                    &wallet.token,
                    &format!("/pay/v1/{path}"),
                    &body,
                )
                .await?;
            }
            let much = json!({ "amount": BEGINNING });
            let begun = send(&mut client, &wallet.token, "/pay/v1/topups", &much).await?;
            let said = json!({ "payment": begun["id"], "reference": "benchmark" });
            send(&mut client, &operator, "/admin/v1/pay/bank-said", &said).await?;
            wallets.push(wallet);
        }
        Ok(Self {
            address: server.address.clone(),
            wallets,
        })
    }

    /// Has everybody pay for so long: others by turns, or in nine of ten cases the first.
    pub async fn pay(&self, hot: bool, span: Duration) -> Result<Waits> {
        let mut clients = Vec::new();
        for _ in &self.wallets {
            clients.push(Client::connect(&self.address).await?);
        }
        let begun = Instant::now();
        let mut paying = JoinSet::new();
        for (n, mut client) in clients.into_iter().enumerate() {
            let (wallets, mine) = (self.wallets.clone(), self.wallets[n].clone());
            paying.spawn(async move {
                let mut took = Vec::new();
                for turn in 1.. {
                    if begun.elapsed() >= span {
                        break;
                    }
                    let other = if hot && turn % 10 != 0 {
                        usize::from(n == 0)
                    } else {
                        (n + 1 + turn % (wallets.len() - 1)) % wallets.len()
                    };
                    let body = json!({ "to": wallets[other].user, "amount": 1 });
                    let before = Instant::now();
                    send(&mut client, &mine.token, "/pay/v1/transfers", &body).await?;
                    took.push(before.elapsed());
                }
                anyhow::Ok(took)
            });
        }
        let mut all = Vec::new();
        while let Some(took) = paying.join_next().await {
            all.extend(took??);
        }
        Waits::of(begun.elapsed(), all)
    }
}

async fn send(client: &mut Client, token: &str, path: &str, body: &Value) -> Result<Value> {
    let mut asked = Asked::json(Method::POST, path, body);
    if !token.is_empty() {
        asked
            .headers
            .push(("authorization", format!("Bearer {token}")));
    }
    let key = KEY.fetch_add(1, Ordering::Relaxed);
    asked
        .headers
        .push(("idempotency-key", format!("bench-{key}")));
    let answer = client.request(asked).await?;
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.status == StatusCode::OK,
        "{path}: {} {text}",
        answer.status
    );
    Ok(serde_json::from_slice(&answer.body)?)
}
