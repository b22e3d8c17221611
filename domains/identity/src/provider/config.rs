//! What an operator decides about the OpenID provider.

use bongsu_base::Millis;

/// Who may register clients (RFC 7591).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfRegistration {
    /// Every client, as Matrix clients do; without power beyond what people agree to.
    Open {
        /// How many there may be.
        most: u32,
    },
    /// None; the operator adds clients.
    Closed,
}

/// How the provider works.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// The name in all tokens, a URL without a slash at its end. The same in all data centres.
    pub issuer: String,
    /// Where this data centre is reached, if that is elsewhere: DPoP proofs for it are taken too.
    pub also_at: Option<String>,
    /// Whether DPoP proofs have to repeat a word of ours, so that none was made beforehand.
    pub dpop_nonce: bool,
    /// How long an access token lasts; at most a day.
    pub access_token: Millis,
    /// After how long without a refresh a client's session ends.
    pub session_idle: Millis,
    /// How long a browser stays signed in.
    pub browser: Millis,
    /// How long an authorization code is good.
    pub code: Millis,
    /// How long a device has to be let in.
    pub device_code: Millis,
    /// How many devices may wait.
    pub devices_waiting: u32,
    /// Who may register clients.
    pub registration: SelfRegistration,
    /// How long the published keys may be relied on.
    pub keys_relied: Millis,
    /// After how long keys are replaced.
    pub keys_rotate: Millis,
    /// Whether no other data centre uses the keys: then those that cannot be opened any more are replaced at once.
    pub alone: bool,
}

impl ProviderConfig {
    /// What suits most.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            also_at: None,
            dpop_nonce: false,
            access_token: Millis::minutes(10),
            session_idle: Millis::hours(24 * 60),
            browser: Millis::hours(24 * 14),
            code: Millis::seconds(60),
            device_code: Millis::minutes(15),
            devices_waiting: 10_000,
            registration: SelfRegistration::Closed,
            keys_relied: Millis::hours(24),
            keys_rotate: Millis::hours(24 * 90),
            alone: true,
        }
    }

    /// The address of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Whether people reach the provider over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.issuer.starts_with("https://")
    }
}
