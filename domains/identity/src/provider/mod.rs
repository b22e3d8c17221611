//! The gateway's side of the OpenID provider: what happens before a command is appended and after its outcome.
//!
//! Parsing, client authentication, proofs, seals and signatures are done here; what may be done is decided
//! by the rules (`apply/oauth`).

pub mod assertion;
mod authenticate;
pub mod claims;
pub mod client;
mod config;
pub mod dpop;
mod inspect;
mod keep;
mod keys;
mod logout;
mod numeric_date;
mod replay;
pub mod request;
pub mod scope;
mod seal;
mod secret;
pub mod status;
pub mod tokens;
mod tries;
mod vault;

pub use config::{ProviderConfig, SelfRegistration};
pub use inspect::{SealedKey, sealed_keys};
pub use keep::RotateError;
pub(crate) use keys::Keys;
pub use logout::LogoutError;
pub(crate) use seal::{disclose, enclose};
pub use secret::{Refreshable, SecretKey};
pub use vault::{Vault, VaultError};

use crate::Accounts;
use crate::accounts::AccountError;
use crate::command::Accepted;
use crate::command::Command;
use crate::command::oauth::{AdministerClient, ClientAct, ClientId, Done, Oauth};
use crate::query;
use bongsu_base::{LogTime, UserId};
use bongsu_fetch::Fetcher;
use bongsu_lane::{Actor, Priority, ReadError};
use bongsu_web_kit::admin::Operator;
use client::Client;
use parking_lot::RwLock;
use replay::Replays;
use std::sync::Arc;
use tries::Tries;

/// The OpenID provider of this installation, as a gateway handles it. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Provider {
    accounts: Accounts,
    shared: Arc<Shared>,
}

struct Shared {
    config: ProviderConfig,
    vault: Vault,
    keys: RwLock<Arc<Keys>>,
    replays: Replays,
    tries: Tries,
    lists: status::Kept,
    fetcher: Fetcher,
}

impl Provider {
    /// The provider over these accounts, whose keys `vault` seals. `fetcher` tells clients that somebody signed out.
    #[must_use]
    pub fn new(accounts: Accounts, config: ProviderConfig, vault: Vault, fetcher: Fetcher) -> Self {
        Self {
            accounts,
            shared: Arc::new(Shared {
                config,
                vault,
                keys: RwLock::default(),
                replays: Replays::default(),
                tries: Tries::default(),
                lists: status::Kept::default(),
                fetcher,
            }),
        }
    }

    /// The accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What the operator decided.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.shared.config
    }

    /// The time of day.
    pub(crate) fn now(&self) -> LogTime {
        self.accounts.config().clock.now()
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        self.accounts.lane().random()
    }

    /// Whether this is the first time that something of `whose` with this id is seen, which is good until `until`.
    pub(crate) fn is_first(&self, whose: &str, id: &str, until: LogTime) -> bool {
        self.shared.replays.note(whose, id, until, self.now())
    }

    /// Counts that somebody types a device's code; whether they may.
    pub(crate) fn may_try(&self, user: &UserId) -> bool {
        self.shared.tries.count(user, self.now())
    }

    /// Takes that back: the code was one.
    pub(crate) fn tried_well(&self, user: &UserId) {
        self.shared.tries.forgive(user);
    }

    /// Submits a command of nobody in particular.
    pub(crate) async fn ask(
        &self,
        priority: Priority,
        command: Oauth,
    ) -> Result<Accepted, AccountError> {
        let command = Command::Oauth(Box::new(command));
        self.accounts.ask(Actor::Nobody, priority, command).await
    }

    /// Does what an operator does with a client.
    pub(crate) async fn administer(
        &self,
        operator: Operator,
        reason: Option<String>,
        (client, act): (ClientId, ClientAct),
    ) -> Result<(), AccountError> {
        let actor = operator.actor();
        let by = operator.by;
        let command = Oauth::Administer(AdministerClient {
            by,
            reason,
            client,
            act,
        });
        let command = Command::Oauth(Box::new(command));
        self.accounts.ask(actor, Priority::Vital, command).await?;
        Ok(())
    }

    /// Submits a command that the provider alone answers.
    pub(crate) async fn done(
        &self,
        priority: Priority,
        command: Oauth,
    ) -> Result<Done, AccountError> {
        match self.ask(priority, command).await? {
            Accepted::Oauth(done) => Ok(done),
            _ => Err(AccountError::Defect),
        }
    }

    /// Reads a client.
    pub(crate) async fn client(&self, id: &ClientId) -> Result<Option<Client>, ReadError> {
        let found = self.accounts.read(|view| query::client(view, id)).await?;
        Ok(found.and_then(|row| {
            let id = row.client.clone();
            Client::of(row)
                .inspect_err(|error| {
                    tracing::error!(client = %id, %error, "a client cannot be read by this release");
                })
                .ok()
        }))
    }
}
