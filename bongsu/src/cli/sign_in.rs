//! The command line about sign-in for other services.

use super::administer::{How, Looked, Shown, Target};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::str::FromStr;

/// What can be done with services.
#[derive(Debug, Subcommand)]
pub enum ClientVerb {
    /// Add a service and print its id and secret, once
    #[command(after_help = "\
Examples:
  bongsu client add Shop --redirect-uri https://shop.example/signed-in --grant authorization_code --grant refresh_token
  bongsu client add Till --auth none --native --redirect-uri http://127.0.0.1/signed-in
  bongsu client add Nightly --grant client_credentials --scope 'orders:read'")]
    Add(Box<AddClient>),
    /// List services
    List(Shown),
    /// Show a service
    Show(Looked),
    /// Give a service a new secret and print it, once
    Rotate(RotateClient),
    /// Remove a service; its sessions end
    Remove(Target),
}

/// `bongsu client add`.
#[derive(Debug, Args)]
pub struct AddClient {
    /// Its name, for people
    pub name: String,
    /// Its id [default: made up]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Where people come back to, exactly; may be given several times
    #[arg(long, value_name = "URL")]
    pub redirect_uri: Vec<String>,
    /// Where people may be sent after they signed out; may be given several times
    #[arg(long, value_name = "URL")]
    pub post_logout_redirect_uri: Vec<String>,
    /// What it asks for tokens with: authorization_code, refresh_token, client_credentials or
    /// urn:ietf:params:oauth:grant-type:device_code; may be given several times
    #[arg(long, value_name = "GRANT", default_values = ["authorization_code", "refresh_token"])]
    pub grant: Vec<String>,
    /// How it shows that it is the one: client_secret_basic, client_secret_post, private_key_jwt or none
    #[arg(long, value_name = "METHOD", default_value = "client_secret_basic")]
    pub auth: String,
    /// Its public keys for private_key_jwt, a JWK set
    #[arg(long, value_name = "JSON")]
    pub jwks: Option<Json>,
    /// Scopes of its own, with a space between them
    #[arg(long, value_name = "SCOPES")]
    pub scope: Option<String>,
    /// It runs on people's own devices
    #[arg(long)]
    pub native: bool,
    /// People are not asked before it learns who they are
    #[arg(long)]
    pub trusted: bool,
    /// Its page
    #[arg(long, value_name = "URL")]
    pub client_uri: Option<String>,
    /// Where it is told that somebody signed out
    #[arg(long, value_name = "URL")]
    pub backchannel_logout_uri: Option<String>,
    /// How its ID tokens are signed: EdDSA, ES256 or RS256 [default: RS256]
    #[arg(long, value_name = "ALG")]
    pub id_token_alg: Option<String>,
    /// How its access tokens are signed: EdDSA, ES256 or RS256 [default: EdDSA]
    #[arg(long, value_name = "ALG")]
    pub access_token_alg: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// A value in JSON.
#[derive(Debug, Clone)]
pub struct Json(pub Value);

impl FromStr for Json {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }
}

/// `bongsu client rotate`.
#[derive(Debug, Args)]
pub struct RotateClient {
    /// Its id
    pub id: String,
    /// How long the old secret is taken too, in seconds [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    pub overlap_seconds: Option<u32>,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// List the keys
    List(Shown),
    /// Replace all keys: new ones are shown at once, and used a day later
    Rotate(How),
}
