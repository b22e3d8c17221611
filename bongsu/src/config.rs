//! What the operator decides: flags before the environment, the environment before a file, all under
//! the same names.

mod bank;
mod environment;
mod file;
mod list;
mod previews;
mod sign_in;
mod sites;

pub use bank::BankAt;
use bank::PaySection;
use list::list;
use previews::services;
pub use sign_in::{SignIn, WhoRegistersClients};
pub use sites::Sites;

use anyhow::{Result, ensure};
use bongsu_base::{DataCentre, ServerName, UserId};
use bongsu_talk::http::{RetentionPolicy, Support, Turn};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;
use sites::{LogSection, OtherSection, PeerSection, Said};
use std::ffi::OsString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one source says. The doc comments are what `--help` shows and what an error cites.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    /// Folder that holds everything: logs, views, snapshots and media [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address and port to serve on, such as 127.0.0.1:8008 or [::]:8008 [default: 127.0.0.1:8008]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Name of this installation in people's ids (@mina:NAME); can't be changed later [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<ServerName>,
    /// Who may sign up: everybody (open), whoever knows the token, or nobody (closed) [default: closed]
    #[arg(long, value_name = "WHO")]
    pub registration: Option<WhoMayRegister>,
    /// Token that signing up asks for with `registration = token`; as a flag it shows in process lists
    #[arg(long, value_name = "TOKEN")]
    pub registration_token: Option<String>,
    /// URL under which people reach this server [default: http:// and the address that is served]
    #[arg(long, value_name = "URL")]
    pub public_base_url: Option<String>,
    /// Largest file that may be uploaded, in bytes [default: 52428800]
    #[arg(long, value_name = "BYTES")]
    pub max_upload_bytes: Option<NonZero<u64>>,
    /// How long an access token lasts for a client that can refresh it, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    pub access_token_seconds: Option<NonZero<u32>>,
    /// Connections that are open at the same time [default: 4096]
    #[arg(long, value_name = "COUNT")]
    pub max_connections: Option<NonZero<u32>>,
    /// How often each domain proves that it works, in seconds [default: 3]
    #[arg(long, value_name = "SECONDS")]
    pub canary_seconds: Option<NonZero<u32>>,
    /// A snapshot is taken, and the log shortened, after so many log entries [default: 200000]
    #[arg(long, value_name = "ENTRIES")]
    pub snapshot_every: Option<NonZero<u64>>,
    /// How the log messages look: for a person, as JSON, or as suits where they go [default: auto]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Which log messages appear: error, warn, info, debug, trace, or by part as in info,bongsu=debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Where traces are sent (OTLP over HTTP), such as http://127.0.0.1:4318 [default: nowhere]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// How many bytes one person's uploads may come to [default: as many as they like]
    #[arg(long, value_name = "BYTES")]
    pub media_quota_bytes: Option<NonZero<u64>>,
    /// Give media to whoever asks, without a token, as clients from before Matrix v1.11 need it [default: where everybody may sign up]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub open_media: Option<bool>,
    /// Whether people in the same rooms see who is there [default: true]
    #[arg(long, value_name = "BOOL")]
    pub presence: Option<bool>,
    /// Addresses of the relay for calls (TURN), with commas between them [default: none]
    #[arg(long, value_name = "URIS")]
    pub turn_uris: Option<String>,
    /// Secret shared with the relay (coturn's static-auth-secret); as a flag it shows in process lists
    #[arg(long, value_name = "SECRET")]
    pub turn_secret: Option<String>,
    /// How long credentials for the relay are good, in seconds [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    pub turn_seconds: Option<NonZero<u32>>,
    /// After how many days messages are deleted; a room may ask for less [default: never]
    #[arg(long, value_name = "DAYS")]
    pub retention_days: Option<NonZero<u32>>,
    /// After how many days uploads are deleted, but for pictures that are still shown [default: never]
    #[arg(long, value_name = "DAYS")]
    pub media_retention_days: Option<NonZero<u32>>,
    /// Name of this data centre, where there are several, such as dc1 [default: none]
    #[arg(long, value_name = "NAME")]
    pub data_centre: Option<DataCentre>,
    /// `[log]`
    #[arg(skip)]
    pub log: Option<LogSection>,
    /// `[peer]`
    #[arg(skip)]
    pub peer: Option<PeerSection>,
    /// `[[peers]]`
    #[arg(skip)]
    pub peers: Option<Vec<OtherSection>>,
    /// `[pay]`
    #[arg(skip)]
    pub pay: Option<PaySection>,
    /// Page on which people find help with this server, for /.well-known/matrix/support [default: none]
    #[arg(long, value_name = "URL")]
    pub support_page: Option<String>,
    /// Address of e-mail at which the operator is reached [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub support_email: Option<String>,
    /// User id at which the operator is reached, here or on another server [default: none]
    #[arg(long, value_name = "USER")]
    pub support_user: Option<UserId>,
    /// Fetch pages that people link to and show what they say of themselves [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub url_previews: Option<bool>,
    /// Hosts whose pages alone are fetched, with commas between them; *.NAME is all below NAME [default: all]
    #[arg(long, value_name = "HOSTS")]
    pub url_preview_allow_hosts: Option<String>,
    /// Hosts whose pages are never fetched, with commas between them; *.NAME is all below NAME [default: none]
    #[arg(long, value_name = "HOSTS")]
    pub url_preview_deny_hosts: Option<String>,
    /// Networks of your own whose pages may be fetched, such as 10.1.0.0/16 [default: none, the open internet alone]
    #[arg(long, value_name = "NETWORKS")]
    pub url_preview_allow_networks: Option<String>,
    /// Networks that are never asked, such as your own public addresses [default: none]
    #[arg(long, value_name = "NETWORKS")]
    pub url_preview_deny_networks: Option<String>,
    /// Ports that are asked, with commas between them [default: 80,443]
    #[arg(long, value_name = "PORTS")]
    pub url_preview_ports: Option<String>,
    /// Name of this installation in the tokens of other services, a URL; the same in all data centres [default: public_base_url]
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// File with the key that seals the keys of sign-in; the same in all data centres [default: sign-in.key in the data folder]
    #[arg(long, value_name = "FILE")]
    pub sign_in_key_file: Option<PathBuf>,
    /// Which services may register themselves for sign-in: all (open) or none (closed) [default: closed]
    #[arg(long, value_name = "WHICH")]
    pub client_registration: Option<WhoRegistersClients>,
    /// How long an access token of another service lasts, in seconds, at most 86400 [default: 600]
    #[arg(long, value_name = "SECONDS")]
    pub client_token_seconds: Option<NonZero<u32>>,
    /// Whether DPoP proofs have to repeat a word of ours, so that none can be made beforehand [default: false]
    #[arg(long, value_name = "BOOL")]
    pub dpop_nonce: Option<bool>,
    /// After how many days without a refresh a session of another service ends [default: 60]
    #[arg(long, value_name = "DAYS")]
    pub client_session_days: Option<NonZero<u32>>,
    /// How many days a browser stays signed in [default: 14]
    #[arg(long, value_name = "DAYS")]
    pub browser_session_days: Option<NonZero<u32>>,
    /// Networks of your own in which services are told that somebody signed out [default: none, the open internet alone]
    #[arg(long, value_name = "NETWORKS")]
    pub logout_allow_networks: Option<String>,
    /// Networks of your own in which merchants are told of their payments [default: none, the open internet alone]
    #[arg(long, value_name = "NETWORKS")]
    pub webhook_allow_networks: Option<String>,
    /// Networks of the proxies in front, whose X-Forwarded-For says where people come from [default: none]
    #[arg(long, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhoMayRegister {
    /// Everybody
    Open,
    /// Whoever knows `registration_token`
    Token,
    /// Nobody; `bongsu user add` makes accounts
    Closed,
}

impl fmt::Display for WhoMayRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Token => "token",
            Self::Closed => "closed",
        })
    }
}

/// How log messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person on a terminal, JSON otherwise
    Auto,
    /// Lines for a person
    Human,
    /// One JSON object a line
    Json,
}

/// The data folder, unless another is named.
const DATA: &str = "./data";

/// What holds, once all sources were heard.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder that holds everything.
    pub data: PathBuf,
    /// The command that serves these data with the same file.
    pub serve_command: String,
    /// Address to serve on.
    pub listen: SocketAddr,
    /// Name of this installation; `None` where nobody said, so that the data folder's own counts.
    pub server_name: Option<ServerName>,
    /// Who may sign up.
    pub registration: WhoMayRegister,
    /// What signing up asks for.
    pub registration_token: Option<String>,
    /// URL under which people reach this server.
    pub public_base_url: Option<String>,
    /// Largest upload.
    pub max_upload_bytes: u64,
    /// How long an access token lasts for a client that can refresh it.
    pub access_token_seconds: u32,
    /// Connections at the same time.
    pub max_connections: u32,
    /// The proxies that say where people come from.
    pub trusted_proxies: Vec<IpNet>,
    /// How often the canary sings.
    pub canary_seconds: u32,
    /// Entries between two snapshots.
    pub snapshot_every: u64,
    /// How log messages look.
    pub log_format: LogFormat,
    /// Which log messages appear.
    pub log_level: String,
    /// Where traces are sent.
    pub otlp_endpoint: Option<String>,
    /// How many bytes one person's uploads may come to.
    pub media_quota_bytes: Option<u64>,
    /// Whether media is given to whoever asks.
    pub open_media: bool,
    /// Whether people see who is there.
    pub presence: bool,
    /// The relay for calls.
    pub turn: Option<Turn>,
    /// How long things are kept.
    pub retention: RetentionPolicy,
    /// The data centres, where there are several.
    pub sites: Option<Sites>,
    /// Where people find help.
    pub support: Support,
    /// Which pages that people link to are fetched, if any.
    pub previews: Option<bongsu_fetch::Rules>,
    /// Sign-in for other services.
    pub sign_in: SignIn,
    /// Where merchants may be told of their payments.
    pub webhooks: bongsu_fetch::Rules,
    /// The bank.
    pub bank: BankAt,
}

impl Config {
    /// What holds when these flags were given. `variable` reads the environment.
    pub fn load(
        flags: Layer,
        config: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self> {
        let named = config.or_else(|| variable("BONGSU_CONFIG").map(PathBuf::from));
        let file = named.as_deref().map(file::read).transpose()?;
        let file = file.unwrap_or_default();
        let environment = environment::read(variable)?;
        let given = flags.or(environment);
        let serve_command = serve_command(named.as_deref(), given.data.as_deref(), &file);
        Self::of(given.or(file), serve_command)
    }

    fn of(layer: Layer, serve_command: String) -> Result<Self> {
        check_urls(&layer)?;
        let previews = previews::rules(&layer)?;
        let sign_in = SignIn::of(&layer)?;
        let webhooks = services("webhook_allow_networks", &layer.webhook_allow_networks)?;
        let trusted_proxies = list("trusted_proxies", &layer.trusted_proxies)?;
        let registration = layer.registration.unwrap_or(WhoMayRegister::Closed);
        let token = layer.registration_token.filter(|token| !token.is_empty());
        ensure!(
            registration != WhoMayRegister::Token || token.is_some(),
            "registration is `token`, but there is no registration_token: give one, or choose `open` or `closed`"
        );

        let turn = turn(layer.turn_uris, layer.turn_secret, layer.turn_seconds)?;
        let sites = Sites::of(Said {
            own: layer.data_centre,
            log: layer.log,
            peer: layer.peer,
            others: layer.peers.unwrap_or_default(),
        })?;
        let bank = BankAt::of(layer.pay, sites.is_none())?;
        Ok(Self {
            data: layer.data.unwrap_or_else(|| PathBuf::from(DATA)),
            serve_command,
            listen: layer
                .listen
                .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8008))),
            server_name: layer.server_name,
            registration,
            registration_token: token,
            public_base_url: layer
                .public_base_url
                .map(|url| url.trim_end_matches('/').to_owned()),
            max_upload_bytes: layer.max_upload_bytes.map_or(50 << 20, NonZero::get),
            access_token_seconds: layer.access_token_seconds.map_or(3600, NonZero::get),
            max_connections: layer.max_connections.map_or(4096, NonZero::get),
            trusted_proxies,
            canary_seconds: layer.canary_seconds.map_or(3, NonZero::get),
            snapshot_every: layer.snapshot_every.map_or(200_000, NonZero::get),
            log_format: layer.log_format.unwrap_or(LogFormat::Auto),
            log_level: layer.log_level.unwrap_or_else(|| "info".to_owned()),
            otlp_endpoint: layer.otlp_endpoint,
            media_quota_bytes: layer.media_quota_bytes.map(NonZero::get),
            // Where everybody may have a token, asking for one protects nothing.
            open_media: layer
                .open_media
                .unwrap_or(registration == WhoMayRegister::Open),
            presence: layer.presence.unwrap_or(true),
            turn,
            retention: RetentionPolicy {
                events: layer.retention_days.map(milliseconds),
                media: layer.media_retention_days.map(milliseconds),
            },
            sites,
            support: Support {
                page: layer.support_page,
                email: layer.support_email,
                user: layer.support_user.map(|user| user.to_string()),
            },
            previews,
            sign_in,
            webhooks,
            bank,
        })
    }
}

/// How a server with the configuration file `file`, which says `said`, and the data folder `given` on the command line or in
/// the environment is started.
fn serve_command(file: Option<&Path>, given: Option<&Path>, said: &Layer) -> String {
    let mut command = "bongsu serve".to_owned();
    if let Some(file) = file {
        command += &format!(" --config {}", file.display());
    }
    let found = said.data.as_deref().unwrap_or(Path::new(DATA));
    let data = given.unwrap_or(found);
    if file.is_none() || data != found {
        command += &format!(" --data {}", data.display());
    }
    command
}

/// So many days.
fn milliseconds(days: NonZero<u32>) -> i64 {
    i64::from(days.get()) * 24 * 60 * 60 * 1000
}

/// The relay, if both its addresses and its secret are there.
fn turn(
    uris: Option<String>,
    secret: Option<String>,
    seconds: Option<NonZero<u32>>,
) -> Result<Option<Turn>> {
    let secret = secret.filter(|secret| !secret.is_empty());
    let uris: Vec<String> = uris
        .iter()
        .flat_map(|uris| uris.split(','))
        .map(|uri| uri.trim().to_owned())
        .filter(|uri| !uri.is_empty())
        .collect();
    ensure!(
        uris.is_empty() == secret.is_none(),
        "turn_uris and turn_secret belong together: give both, or neither"
    );
    let lasts = Duration::from_secs(seconds.map_or(86_400, NonZero::get).into());
    Ok(secret.map(|secret| Turn {
        uris,
        secret,
        lasts,
    }))
}

/// Sees that what has to be a URL is one.
fn check_urls(layer: &Layer) -> Result<()> {
    for (key, url) in [
        ("public_base_url", &layer.public_base_url),
        ("support_page", &layer.support_page),
        ("issuer", &layer.issuer),
        ("otlp_endpoint", &layer.otlp_endpoint),
    ] {
        let sound = url.as_ref().is_none_or(|url| is_url(url));
        ensure!(
            sound,
            "{key} is not a URL: expected http://host or https://host"
        );
    }
    ensure!(
        layer
            .otlp_endpoint
            .as_ref()
            .is_none_or(|url| url.starts_with("http://")),
        "otlp_endpoint has to begin with http://: let a collector near by forward what must be encrypted"
    );
    Ok(())
}

fn is_url(text: &str) -> bool {
    let parsed = text.parse::<http::Uri>();
    parsed
        .is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
}

impl Layer {
    /// What `self` says, and what `other` says where `self` says nothing.
    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            server_name: self.server_name.or(other.server_name),
            registration: self.registration.or(other.registration),
            registration_token: self.registration_token.or(other.registration_token),
            public_base_url: self.public_base_url.or(other.public_base_url),
            max_upload_bytes: self.max_upload_bytes.or(other.max_upload_bytes),
            access_token_seconds: self.access_token_seconds.or(other.access_token_seconds),
            max_connections: self.max_connections.or(other.max_connections),
            canary_seconds: self.canary_seconds.or(other.canary_seconds),
            snapshot_every: self.snapshot_every.or(other.snapshot_every),
            log_format: self.log_format.or(other.log_format),
            log_level: self.log_level.or(other.log_level),
            otlp_endpoint: self.otlp_endpoint.or(other.otlp_endpoint),
            media_quota_bytes: self.media_quota_bytes.or(other.media_quota_bytes),
            open_media: self.open_media.or(other.open_media),
            presence: self.presence.or(other.presence),
            turn_uris: self.turn_uris.or(other.turn_uris),
            turn_secret: self.turn_secret.or(other.turn_secret),
            turn_seconds: self.turn_seconds.or(other.turn_seconds),
            retention_days: self.retention_days.or(other.retention_days),
            media_retention_days: self.media_retention_days.or(other.media_retention_days),
            data_centre: self.data_centre.or(other.data_centre),
            log: self.log.or(other.log),
            peer: self.peer.or(other.peer),
            peers: self.peers.or(other.peers),
            pay: self.pay.or(other.pay),
            support_page: self.support_page.or(other.support_page),
            support_email: self.support_email.or(other.support_email),
            support_user: self.support_user.or(other.support_user),
            url_previews: self.url_previews.or(other.url_previews),
            url_preview_allow_hosts: self
                .url_preview_allow_hosts
                .or(other.url_preview_allow_hosts),
            url_preview_deny_hosts: self.url_preview_deny_hosts.or(other.url_preview_deny_hosts),
            url_preview_allow_networks: self
                .url_preview_allow_networks
                .or(other.url_preview_allow_networks),
            url_preview_deny_networks: self
                .url_preview_deny_networks
                .or(other.url_preview_deny_networks),
            url_preview_ports: self.url_preview_ports.or(other.url_preview_ports),
            issuer: self.issuer.or(other.issuer),
            sign_in_key_file: self.sign_in_key_file.or(other.sign_in_key_file),
            client_registration: self.client_registration.or(other.client_registration),
            client_token_seconds: self.client_token_seconds.or(other.client_token_seconds),
            dpop_nonce: self.dpop_nonce.or(other.dpop_nonce),
            client_session_days: self.client_session_days.or(other.client_session_days),
            browser_session_days: self.browser_session_days.or(other.browser_session_days),
            logout_allow_networks: self.logout_allow_networks.or(other.logout_allow_networks),
            webhook_allow_networks: self.webhook_allow_networks.or(other.webhook_allow_networks),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
        }
    }
}

/// What the key `key` means, as `--help` has it.
fn meaning(key: &str) -> Option<String> {
    let options = Layer::augment_args(clap::Command::new("bongsu"));
    let option = options
        .get_arguments()
        .find(|option| option.get_id() == key)?;
    Some(option.get_help()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::io::Write;

    fn load(flags: Layer, file: Option<&str>, environment: &[(&str, &str)]) -> Result<Config> {
        let environment: HashMap<_, _> = environment.iter().copied().collect();
        let mut written = tempfile::NamedTempFile::new()?;
        written.write_all(file.unwrap_or_default().as_bytes())?;
        let path = file.map(|_| written.path().to_owned());
        Config::load(flags, path, |name| {
            environment.get(name).map(OsString::from)
        })
    }

    #[test]
    fn flags_outweigh_the_environment_and_that_the_file() {
        let flags = Layer {
            log_level: Some("from the flags".into()),
            ..Layer::default()
        };
        let environment = [
            ("BONGSU_LOG_LEVEL", "from the environment"),
            ("BONGSU_SERVER_NAME", "env.example"),
        ];
        let file =
            "log_level = 'from the file'\nserver_name = 'file.example'\ncanary_seconds = 7\n";
        let config = load(flags, Some(file), &environment).unwrap();
        assert_eq!(config.log_level, "from the flags");
        assert_eq!(config.server_name.unwrap().as_str(), "env.example");
        assert_eq!(config.canary_seconds, 7);
        assert_eq!(config.listen.port(), 8008);
    }

    #[test]
    fn what_starts_a_server_names_what_it_was_asked_with() {
        let file = Some(Path::new("/etc/bongsu.toml"));
        let said = Layer {
            data: Some("/srv".into()),
            ..Layer::default()
        };
        for (file, given, expect) in [
            (None, None, "bongsu serve --data /srv"),
            (None, Some("new"), "bongsu serve --data new"),
            (file, None, "bongsu serve --config /etc/bongsu.toml"),
            (file, Some("/srv"), "bongsu serve --config /etc/bongsu.toml"),
            (
                file,
                Some("new"),
                "bongsu serve --config /etc/bongsu.toml --data new",
            ),
        ] {
            assert_eq!(serve_command(file, given.map(Path::new), &said), expect);
        }
        let config = load(Layer::default(), None, &[("BONGSU_DATA", "new")]).unwrap();
        assert_eq!(config.serve_command, "bongsu serve --data new");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let check = |file: &str, expect: &str| {
            let error = load(Layer::default(), Some(file), &[])
                .unwrap_err()
                .to_string();
            assert!(error.contains(expect), "{error}");
        };
        check("registration = 'token'", "no registration_token");
        check(
            "public_base_url = 'chat.example'",
            "public_base_url is not a URL",
        );
        check(
            "otlp_endpoint = 'https://collector.example'",
            "has to begin with http://",
        );
        check("turn_uris = 'turn:relay.example'", "belong together");
    }

    #[test]
    fn every_key_has_a_meaning_to_cite() {
        let options = Layer::augment_args(clap::Command::new("bongsu"));
        let keys: Vec<_> = options
            .get_arguments()
            .map(|option| option.get_id().as_str().to_owned())
            .collect();
        assert!(keys.len() > 10);
        for key in keys {
            assert!(meaning(&key).is_some_and(|text| text.len() > 10), "{key}");
        }
    }
}
