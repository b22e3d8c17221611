//! Sign-in for other services.

use super::Layer;
use super::previews::services;
use anyhow::{Result, ensure};
use bongsu_base::Millis;
use bongsu_fetch::Rules;
use bongsu_identity::{ProviderConfig, SelfRegistration};
use clap::ValueEnum;
use serde::Deserialize;
use std::num::NonZero;
use std::path::PathBuf;

/// How many services may have registered themselves.
const MOST_CLIENTS: u32 = 100_000;
/// How long an access token may last at the most, in seconds.
const LONGEST_TOKEN: u32 = 86_400;

/// Which services may register themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhoRegistersClients {
    /// All, as Matrix clients do
    Open,
    /// None; `bongsu client add` adds them
    Closed,
}

/// Sign-in for other services.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The name in tokens, where it is not the public URL.
    pub issuer: Option<String>,
    /// Where the key lies that seals the others.
    pub key_file: Option<PathBuf>,
    /// Who may be told that somebody signed out.
    pub logout: Rules,
    registration: SelfRegistration,
    dpop_nonce: bool,
    token: Option<Millis>,
    session: Option<Millis>,
    browser: Option<Millis>,
}

impl SignIn {
    pub(super) fn of(layer: &Layer) -> Result<Self> {
        let token = layer.client_token_seconds.map(NonZero::get);
        ensure!(
            token.is_none_or(|seconds| seconds <= LONGEST_TOKEN),
            "client_token_seconds is more than {LONGEST_TOKEN}: what was revoked would be taken for too long"
        );
        let days = |days: Option<NonZero<u32>>| days.map(|days| Millis(super::milliseconds(days)));
        let registration = match layer.client_registration {
            Some(WhoRegistersClients::Open) => SelfRegistration::Open { most: MOST_CLIENTS },
            Some(WhoRegistersClients::Closed) | None => SelfRegistration::Closed,
        };
        Ok(Self {
            issuer: layer
                .issuer
                .as_ref()
                .map(|url| url.trim_end_matches('/').to_owned()),
            key_file: layer.sign_in_key_file.clone(),
            logout: services("logout_allow_networks", &layer.logout_allow_networks)?,
            registration,
            dpop_nonce: layer.dpop_nonce.unwrap_or(false),
            token: token.map(|seconds| Millis::seconds(seconds.into())),
            session: days(layer.client_session_days),
            browser: days(layer.browser_session_days),
        })
    }

    /// How the provider works that people reach at `base_url`; `alone` where there is no other data centre.
    pub fn provider(&self, base_url: &str, alone: bool) -> ProviderConfig {
        let issuer = self.issuer.as_deref().filter(|_| !base_url.is_empty());
        let mut how = ProviderConfig::new(issuer.unwrap_or(base_url));
        how.also_at = Some(base_url.trim_end_matches('/').to_owned());
        how.registration = self.registration;
        how.dpop_nonce = self.dpop_nonce;
        how.access_token = self.token.unwrap_or(how.access_token);
        how.session_idle = self.session.unwrap_or(how.session_idle);
        how.browser = self.browser.unwrap_or(how.browser);
        how.alone = alone;
        how
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_the_public_address_unless_it_is_said() {
        let layer = |issuer: Option<&str>| Layer {
            issuer: issuer.map(ToOwned::to_owned),
            ..Layer::default()
        };
        for (issuer, base, expect) in [
            (None, "http://a:1", "http://a:1"),
            (Some("https://b/"), "http://a:1", "https://b"),
            // A tool that serves nobody tells nobody anything.
            (Some("https://b"), "", ""),
        ] {
            let how = SignIn::of(&layer(issuer)).unwrap().provider(base, true);
            assert_eq!(how.issuer, expect);
        }
    }

    #[test]
    fn tokens_that_last_too_long_are_refused() {
        let layer = Layer {
            client_token_seconds: NonZero::new(86_401),
            ..Layer::default()
        };
        let error = SignIn::of(&layer).unwrap_err().to_string();
        assert!(error.contains("client_token_seconds"), "{error}");
    }
}
