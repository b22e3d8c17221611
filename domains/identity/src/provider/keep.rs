//! Making keys where there are none, and replacing those that are old.

use super::keys::{algorithm, purpose};
use super::{Provider, vault::VaultError};
use crate::accounts::AccountError;
use crate::command::oauth::{AddKey, KeyKind, Oauth, Refused};
use crate::command::{Command, Rejected};
use crate::query;
use crate::state::oauth::key::Key;
use bongsu_base::{Millis, UserId};
use bongsu_jose::{JoseError, SigningKey, make};
use bongsu_lane::{Actor, Priority, ReadError};
use bongsu_web_kit::admin::Operator;
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked whether a key is old.
const LOOK: Duration = Duration::from_secs(600);
/// How soon it is tried again when it failed.
const SOON: Duration = Duration::from_secs(2);

/// Why keys were not made.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key could not be made.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// It could not be written.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// It could not be seen which there are.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The work was given up.
    #[error("making a key was given up")]
    GivenUp,
}

impl Provider {
    /// Sees to it, for as long as it runs, that there are keys and none is too old.
    pub async fn keep_keys(self) {
        loop {
            let pause = match self.make_due_keys().await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "the keys of sign-in could not be made; trying again");
                    SOON
                }
            };
            sleep(pause).await;
        }
    }

    /// Makes the keys that are missing, and those that are due.
    ///
    /// # Errors
    /// When one could not be made or written.
    pub async fn make_due_keys(&self) -> Result<(), RotateError> {
        let (now, config) = (self.now(), self.config());
        let warm = self.reread_keys().await?;
        for kind in KeyKind::ALL {
            let rows = self.accounts.read(query::keys).await?;
            let newest = newest(&rows, kind);
            // Those that are old are replaced by whoever holds the lease; those that are missing, by anybody.
            let usable = warm.has(kind, now);
            let due = newest.is_none_or(|key| {
                let old = self.accounts.lane().leads() && now.since(key.made) > config.keys_rotate;
                old || config.alone && !usable && now >= key.signs_from
            });
            if due {
                let after = newest.map(|key| key.kid.clone());
                let whose = (after, None, None);
                self.add_key(Actor::Platform, (kind, usable), whose).await?;
            }
        }
        self.reread_keys().await?;
        Ok(())
    }

    /// Replaces all keys, for an operator.
    ///
    /// # Errors
    /// When one could not be made or written.
    pub async fn rotate_keys(
        &self,
        operator: Operator,
        reason: Option<String>,
    ) -> Result<(), RotateError> {
        let rows = self.accounts.read(query::keys).await?;
        for kind in KeyKind::ALL {
            let after = newest(&rows, kind).map(|key| key.kid.clone());
            let why = (after, operator.by.clone(), reason.clone());
            self.add_key(operator.actor(), (kind, true), why).await?;
        }
        self.reread_keys().await?;
        Ok(())
    }

    async fn add_key(
        &self,
        actor: Actor,
        (kind, overlaps): (KeyKind, bool),
        (after, by, reason): (Option<String>, Option<UserId>, Option<String>),
    ) -> Result<(), RotateError> {
        let kid = BASE64URL_NOPAD.encode(&self.random::<8>());
        let (public, secret) = self.make(kind, &kid).await?;
        let sealed = self
            .shared
            .vault
            .seal(&purpose(kind, &kid), &secret, self.random());
        let config = self.config();
        // Whoever verifies may rely on what it read for so long; whoever comes with a refresh token, on the session.
        let (overlap, keep) = match kind {
            KeyKind::Refresh => (Millis::minutes(2), config.session_idle),
            _ => (
                config.keys_relied,
                Millis(config.access_token.0 + config.keys_relied.0),
            ),
        };
        let command = AddKey {
            kid,
            kind,
            public,
            sealed,
            // Where there is none that can be used, waiting helps nobody.
            overlap: if overlaps { overlap } else { Millis(0) },
            keep,
            after,
            by,
            reason,
        };
        let command = Command::Oauth(Box::new(Oauth::AddKey(command)));
        match self.accounts.ask(actor, Priority::Vital, command).await {
            Ok(_) => Ok(()),
            // Another data centre was faster.
            Err(AccountError::Rejected(Rejected::Oauth(Refused::KeyReplaced))) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A new key: its public half, and itself.
    async fn make(&self, kind: KeyKind, kid: &str) -> Result<(String, Vec<u8>), RotateError> {
        let Some(algorithm) = algorithm(kind) else {
            return Ok((String::new(), self.random::<32>().to_vec()));
        };
        let lane = self.accounts.lane().clone();
        let random = move |bytes: &mut [u8]| {
            for chunk in bytes.chunks_mut(32) {
                let random: [u8; 32] = lane.random();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
        };
        let made = tokio::task::spawn_blocking(move || make(algorithm, random));
        let secret = made.await.map_err(|_| RotateError::GivenUp)??;
        let key = SigningKey::open(algorithm, kid, &secret)?;
        let public = serde_json::to_string(key.public()).map_err(|_| JoseError::Key)?;
        Ok((public, secret))
    }
}

fn newest(rows: &[Key], kind: KeyKind) -> Option<&Key> {
    rows.iter()
        .find(|key| key.kind == kind && key.gone_from.is_none())
}
