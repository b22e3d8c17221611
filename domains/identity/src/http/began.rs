//! What stands between the requests of one user-interactive authentication (Matrix v1.19, client-server API). It is in
//! the session's own text, sealed, and nowhere else: the next request may come to any data centre.

use super::Api;
use crate::provider::{SecretKey, Vault, disclose, enclose};
use bongsu_base::Millis;
use bongsu_web_kit::matrix::MatrixError;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::StatusCode;
use ruma::api::error::ErrorKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the keys and the seals are for.
const PURPOSE: &str = "sessions of interactive authentication";
/// How long a session lasts: some clients begin one when somebody opens a page, and go on when they have filled it in. Less
/// than outcomes are remembered for.
const LASTS: Millis = Millis::hours(24);
/// The longest wishes that a session keeps, in bytes. Whoever has longer ones sends them again.
const MAX_WISHES: usize = 4_096;

/// The keys that seal sessions, the same in every data centre. Cloning it gives another handle.
#[derive(Clone)]
pub struct Seals(Arc<[SecretKey]>);

/// A session that has begun.
#[derive(Serialize, Deserialize)]
pub struct Began {
    /// Its name.
    pub name: String,
    /// The hash of what is to be done once its stage is completed.
    operation: String,
    /// What the client asked for when it began.
    pub wishes: Map<String, Value>,
}

impl Seals {
    /// The keys that `vault` gives.
    pub fn of(vault: &Vault) -> Self {
        let keys = vault.secrets(PURPOSE);
        let keys = keys.iter().map(|(name, secret)| {
            let name = BASE64URL_NOPAD.encode(name);
            SecretKey::open(&name, secret).expect("8 bytes are a name")
        });
        Self(keys.collect())
    }
}

fn hash(operation: &str) -> String {
    blake3::hash(operation.as_bytes()).to_string()
}

impl Api {
    /// Begins a session for `operation`: the method, the path, what is essential in the body, and who asks. Gives its text.
    pub(super) fn begin(
        &self,
        operation: &str,
        wishes: &Map<String, Value>,
    ) -> Result<String, MatrixError> {
        let length: usize = wishes.values().map(|wish| wish.to_string().len()).sum();
        let lane = self.accounts.lane();
        let began = Began {
            name: HEXLOWER.encode(&lane.random::<16>()),
            operation: hash(operation),
            wishes: if length <= MAX_WISHES {
                wishes.clone()
            } else {
                Map::new()
            },
        };
        let until = self.accounts.config().clock.now() + LASTS;
        // The oldest key is the one that every data centre has while a new one is brought to them.
        let key = self.seals.0.last();
        key.and_then(|key| enclose(key, (PURPOSE, until), &began, lane.random()))
            .ok_or_else(|| MatrixError::internal("a session cannot be sealed"))
    }

    /// What stands in the session with this text.
    ///
    /// # Errors
    /// 400 when there is none, or it has run out; 403 when it was begun for something else.
    pub(super) fn began(&self, operation: &str, session: &str) -> Result<Began, MatrixError> {
        let now = self.accounts.config().clock.now();
        let found: Option<Began> = disclose(self.seals.0.iter(), (PURPOSE, now), session);
        let Some(found) = found else {
            return Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::Unknown,
                "this session is unknown or has run out; begin another one",
            ));
        };
        if found.operation != hash(operation) {
            return Err(MatrixError::forbidden(
                "this session was begun for something else; begin another one",
            ));
        }
        Ok(found)
    }
}
