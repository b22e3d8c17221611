//! What people do while data centres burn. A domain joins the drill by a file here and a line in [`all`].

mod handed;
mod openid;
mod partner;
mod pay;
mod people;
mod remembered;
mod sign_ins;
mod talk;
mod tokens;
mod uploads;

pub use partner::PARTNER;
pub use people::Session;
pub use uploads::DOWNLOADS;

use crate::check::Findings;
use crate::client::{Ask, Client};
use crate::ground::{Ground, Site, Stage};
use anyhow::{Context, Result};
use async_trait::async_trait;
use http::Method;
use serde_json::json;
use std::sync::Arc;

/// One kind of traffic: it asks, remembers what was acknowledged, and looks for it afterwards.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// What the protocol is called in reports.
    fn name(&self) -> &'static str;

    /// Makes what is needed, while all goes well.
    async fn prepare(&self, ground: &Ground) -> Result<()>;

    /// Asks until the stage is over, and returns once everything that was begun is done or given up.
    async fn work(self: Arc<Self>, stage: Stage) -> Result<()>;

    /// Looks in every data centre for what was acknowledged in this stage, and forgets what need not be
    /// remembered any longer.
    async fn check(&self, stage: &Stage) -> Result<Findings>;

    /// Looks once more, at the end of the drill, for what was acknowledged in all stages.
    async fn check_all(&self, ground: &Ground) -> Result<Findings>;
}

/// All traffic that there is.
pub fn all() -> Vec<Arc<dyn Traffic>> {
    let handed: Arc<handed::Handed> = Arc::default();
    vec![
        Arc::new(talk::Talk::default()),
        Arc::new(sign_ins::SignIns::default()),
        Arc::new(tokens::Tokens::default()),
        Arc::new(openid::OpenId::new(handed.clone())),
        Arc::new(partner::Partner::new(handed)),
        Arc::new(pay::Payments::default()),
        Arc::new(uploads::Uploads::default()),
    ]
}

/// The token of the account `name`, which is there already.
pub async fn sign_in(sites: &Arc<[Site]>, name: &str, password: &str) -> Result<String> {
    let mut body = people::login(name, false);
    body["password"] = json!(password);
    let ask = Ask::json(Method::POST, "/_matrix/client/v3/login", &body);
    let answer = people::calmly(&mut Client::new(sites, 0), &ask).await?;
    let token = answer["access_token"].as_str().context("no token")?;
    Ok(token.to_owned())
}

/// Somebody who reads, and a room to read in.
pub async fn reader(ground: &Ground) -> Result<(Session, String)> {
    let session = people::register(ground, 0, "reader").await?;
    let mut client = Client::new(&ground.sites, 0);
    client.token.clone_from(&session.access);
    let body = json!({ "name": "봉수대", "preset": "public_chat" });
    let ask = Ask::json(Method::POST, "/_matrix/client/v3/createRoom", &body);
    let made = people::calmly(&mut client, &ask).await?;
    let room = made["room_id"].as_str().context("no room")?;
    Ok((session, room.to_owned()))
}
