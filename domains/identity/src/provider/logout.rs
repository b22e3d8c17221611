//! Telling clients that somebody signed out (OpenID Connect Back-Channel Logout 1.0).

use super::Provider;
use super::tokens::{NoKey, seconds};
use crate::command::oauth::ClientId;
use bongsu_base::{DeviceId, LogTime, Millis, UserId};
use bongsu_fetch::{FetchError, Url};
use bongsu_lane::{EffectId, ReadError};
use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, Serializer};

/// After how long it is given up.
const GIVEN_UP: Millis = Millis::hours(24);
/// How long a logout token is good, in seconds (section 4).
const LASTS: i64 = 120;

/// Why a client could not be told.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The view could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be signed.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// Nobody can be told by a tool that serves nobody: the server does, once it runs.
    #[error("only a server tells clients")]
    NotServing,
    /// The client did not take it.
    #[error("the client could not be told: {0}")]
    Told(#[from] FetchError),
}

/// What a logout token says (section 2.4).
#[derive(Serialize)]
struct LogoutClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    events: Events,
}

/// That it is about signing out.
struct Events;

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        #[derive(Serialize)]
        struct Nothing {}
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(
            "http://schemas.openid.net/event/backchannel-logout",
            &Nothing {},
        )?;
        map.end()
    }
}

impl Provider {
    /// Tells `client` at `to` that somebody signed out. Called again until it succeeds, or a day has passed.
    ///
    /// # Errors
    /// When the client could not be told now.
    pub async fn tell_signed_out(
        &self,
        id: EffectId,
        (client, to): (&ClientId, &str),
        (user, browser): (&UserId, Option<&DeviceId>),
        at: LogTime,
    ) -> Result<(), LogoutError> {
        if self.config().issuer.is_empty() {
            return Err(LogoutError::NotServing);
        }
        let now = self.now();
        let (Some(client), Ok(to)) = (self.client(client).await?, Url::parse(to)) else {
            return Ok(());
        };
        if now.since(at) > GIVEN_UP {
            tracing::warn!(client = %client.id, "a client was not told that somebody signed out: it did not answer for a day");
            return Ok(());
        }
        let claims = LogoutClaims {
            iss: &self.config().issuer,
            aud: client.id.as_str(),
            iat: seconds(now),
            exp: seconds(now) + LASTS,
            // The same each time, so that a client that was told already can tell.
            jti: BASE64URL_NOPAD.encode(id.record("identity", "logout").as_bytes()),
            sub: user.as_str(),
            sid: browser.map(DeviceId::as_str),
            events: Events,
        };
        let keys = self.keys().await?;
        let algorithm = client.id_token_algorithm();
        let token = self.sign(&keys, algorithm, "logout+jwt", now, &claims)?;
        let form = [("logout_token", token)];
        self.shared.fetcher.post_form(&to, &form).await?;
        Ok(())
    }
}
