//! `GET /voip/turnServer`: credentials for the operator's relay, good for a while.

use super::{Api, Clock};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use hmac::{Hmac, KeyInit, Mac};
use ruma::api::client::voip::get_turn_server_info::v3::Request;
use serde_json::{Value, json};
use sha1::Sha1;
use std::time::Duration;

/// The operator's relay for calls (TURN), which shares a secret with this server.
#[derive(Clone)]
pub struct Turn {
    /// Its addresses.
    pub uris: Vec<String>,
    /// The secret (`static-auth-secret` in coturn).
    pub secret: String,
    /// How long credentials are good.
    pub lasts: Duration,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("uris", &self.uris)
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// What lets `user` use the relay: the end of its time with the user, and a code over both.
    fn credentials(&self, user: &str, clock: &Clock) -> (String, String) {
        let until = clock.now().0 / 1_000 + self.lasts.as_secs() as i64;
        let username = format!("{until}:{user}");
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes())
            .expect("a code of this kind takes keys of any length");
        mac.update(username.as_bytes());
        let password = BASE64.encode(mac.finalize().into_bytes());
        (username, password)
    }
}

pub async fn turn_server(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    let Some(turn) = &api.config.turn else {
        return Ok(Json(json!({})));
    };
    let (username, password) = turn.credentials(caller.user.as_str(), &api.clock);
    Ok(Json(json!({
        "username": username,
        "password": password,
        "uris": turn.uris,
        "ttl": turn.lasts.as_secs(),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::LogTime;

    #[test]
    fn credentials_are_those_that_a_relay_works_out_too() {
        let turn = Turn {
            uris: vec![],
            secret: "secret".to_owned(),
            lasts: Duration::from_secs(86_400),
        };
        let clock = Clock::new(|| LogTime(1_800_000_000_999));
        let (username, password) = turn.credentials("@mina:test", &clock);
        assert_eq!(username, "1800086400:@mina:test");
        assert_eq!(password, "sctM0QOtPm79R/KduveTXpVI+tU=");
    }
}
