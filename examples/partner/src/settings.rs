//! What whoever runs the service decides.

use anyhow::{Context, Result};
use bongsu_rp_kit::Past;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What happens with an access token once what is known of its provider is older than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// It is refused
    Refuse,
    /// It is taken, and what is done with it is marked
    TakeAndSay,
}

/// The options of the command line.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// URL under which people reach the service [default: http:// and the address]
    #[arg(long)]
    pub base_url: Option<String>,
    /// File with the linked accounts
    #[arg(long, default_value = "accounts.json")]
    pub accounts: PathBuf,
    /// File with the hashes of passwords
    #[arg(long, default_value = "passwords.json")]
    pub passwords: PathBuf,
    /// Bongsu's issuer
    #[arg(long)]
    pub bongsu: String,
    /// The id that Bongsu knows the service by
    #[arg(long)]
    pub bongsu_client: String,
    /// The secret that goes with it
    #[arg(long, env = "PARTNER_BONGSU_SECRET", hide_env_values = true)]
    pub bongsu_secret: String,
    /// The second provider's issuer
    #[arg(long)]
    pub second: String,
    /// The id that it knows the service by
    #[arg(long)]
    pub second_client: String,
    /// The secret that goes with it
    #[arg(long, env = "PARTNER_SECOND_SECRET", hide_env_values = true)]
    pub second_secret: String,
    /// For how many seconds access tokens are verified with what was last heard of Bongsu
    #[arg(long, default_value_t = 3600)]
    pub bound: i64,
    /// What happens with them after that
    #[arg(long, value_enum, default_value = "refuse")]
    pub past: Policy,
}

/// An OpenID provider, and how it knows the service.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Its name.
    pub issuer: String,
    /// The service's id.
    pub client: String,
    /// The service's secret.
    pub secret: String,
}

/// What holds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach the service, without a slash at the end.
    pub base_url: String,
    /// The file with the linked accounts.
    pub accounts: PathBuf,
    /// The file with the passwords' hashes, which is read at each sign-in.
    pub passwords: PathBuf,
    /// Bongsu.
    pub bongsu: ProviderSettings,
    /// The second provider.
    pub second: ProviderSettings,
    /// How old, in seconds, what is known of Bongsu may be.
    pub bound: i64,
    /// What happens after that.
    pub past: Policy,
}

impl Settings {
    /// What the command line says, for a service that listens at `address`.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn of(arguments: Arguments, address: SocketAddr) -> Result<Self> {
        let base_url = arguments.base_url;
        let base_url = base_url.unwrap_or_else(|| format!("http://{address}"));
        url::Url::parse(&base_url).with_context(|| format!("{base_url} is no URL"))?;
        let provider = |issuer: String, client, secret| ProviderSettings {
            issuer: issuer.trim_end_matches('/').to_owned(),
            client,
            secret,
        };
        Ok(Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            accounts: arguments.accounts,
            passwords: arguments.passwords,
            bongsu: provider(
                arguments.bongsu,
                arguments.bongsu_client,
                arguments.bongsu_secret,
            ),
            second: provider(
                arguments.second,
                arguments.second_client,
                arguments.second_secret,
            ),
            bound: arguments.bound,
            past: arguments.past,
        })
    }

    pub(crate) fn verifying(&self) -> bongsu_rp_kit::Settings {
        bongsu_rp_kit::Settings {
            issuer: self.bongsu.issuer.clone(),
            clients: vec![self.bongsu.client.clone()],
            bound: self.bound,
            past: match self.past {
                Policy::Refuse => Past::Refuse,
                Policy::TakeAndSay => Past::TakeAndSay,
            },
        }
    }
}
