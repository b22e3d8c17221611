//! The connection to NATS, and the real engine over it.

mod api;
mod doubt;
mod engine;
mod near;
mod time;
mod told;

use super::engine::Engine;
use bongsu_base::Partition;
use engine::NatsEngine;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Messages that may wait for one subscription, more than any fetch asks for; what comes beyond them is
/// lost for it.
const SUBSCRIPTION: usize = 4_096;

/// How a server is known to be the right one, and this process to be one that may ask.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificates of the authority that signed the servers', in PEM.
    pub authority: PathBuf,
    /// This process's certificate and its key, in PEM, where servers ask for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// How this process signs in. Secrets stay in files, so that they never stand in a log.
#[derive(Debug, Clone)]
pub enum Login {
    /// As a user, with the password that is the first line of a file.
    Password {
        /// The user.
        user: String,
        /// The file.
        file: PathBuf,
    },
    /// With the token that is the first line of a file.
    Token(PathBuf),
}

/// How the engine is reached.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The servers, `nats://host:port` or `tls://host:port`, those of the own site first.
    pub servers: Vec<String>,
    /// What this process is called in the servers' own lists.
    pub name: String,
    /// Encryption; without it, only servers that do not ask for it can be reached.
    pub tls: Option<Tls>,
    /// How this process signs in, if it has to.
    pub login: Option<Login>,
    /// How long the engine may take for a message before nobody knows what became of it. What was on its way to
    /// a leader that is gone waits so long beyond the election; what is stored twice since the engine was slower is
    /// applied once.
    pub publish_within: Duration,
    /// How long it may take for anything else.
    pub ask_within: Duration,
    /// How often the connection is tried; a server that has missed three is given up.
    pub ping_every: Duration,
}

impl NatsOptions {
    /// The usual options for these servers.
    #[must_use]
    pub fn new(servers: Vec<String>) -> Self {
        Self {
            servers,
            name: "bongsu".to_owned(),
            tls: None,
            login: None,
            publish_within: Duration::from_millis(800),
            ask_within: Duration::from_secs(2),
            ping_every: Duration::from_millis(700),
        }
    }
}

/// How a log lies in the engine.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What all names in the engine begin with: letters, digits and hyphens.
    pub prefix: String,
    /// How many servers hold each entry: 1 or 3. That they stand in different data centres is for the
    /// servers' configuration (`unique_tag: "dc:"`).
    pub replicas: u8,
    /// Tags that a server must have to hold a replica.
    pub tags: Vec<String>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            prefix: "bongsu".to_owned(),
            replicas: 3,
            tags: Vec::new(),
        }
    }
}

/// Why the connection could not be set up. That no server is there is no reason.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// The options cannot be used.
    #[error("the engine's connection: {0}")]
    Options(String),
}

/// A connection to the engine. Clones share it.
#[derive(Clone)]
pub struct Nats {
    client: async_nats::Client,
    publish_within: Duration,
    ask_within: Duration,
}

/// What the connection says of itself. That a subscription was full is no news: what is told there is told again
/// with the next hint, and it would be said a hundred times a second.
fn tell(event: &async_nats::Event) {
    match event {
        async_nats::Event::SlowConsumer(_) => tracing::debug!(%event, "the engine's connection"),
        event => tracing::info!(%event, "the engine's connection"),
    }
}

impl Nats {
    /// Prepares the connection and returns at once; it is made, and made again, in the background.
    ///
    /// # Errors
    /// See [`NatsError`].
    pub async fn connect(options: NatsOptions) -> Result<Self, NatsError> {
        let mut servers = Vec::with_capacity(options.servers.len());
        for server in &options.servers {
            let parsed: Result<async_nats::ServerAddr, _> = server.parse();
            servers.push(parsed.map_err(|error| NatsError::Options(format!("{server}: {error}")))?);
        }
        let mut connecting = async_nats::ConnectOptions::new()
            .name(&options.name)
            .retry_on_initial_connect()
            .retain_servers_order()
            .ignore_discovered_servers()
            .subscription_capacity(SUBSCRIPTION)
            .event_callback(async |event| tell(&event))
            .ping_interval(options.ping_every)
            .connection_timeout(options.ask_within)
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis(u64::try_from(attempts).unwrap_or(u64::MAX).min(20) * 50)
            });
        if let Some(tls) = options.tls {
            connecting = connecting
                .require_tls(true)
                .add_root_certificates(tls.authority);
            if let Some((certificate, key)) = tls.own {
                connecting = connecting.add_client_certificate(certificate, key);
            }
        }
        connecting = match options.login {
            Some(Login::Password { user, file }) => {
                connecting.user_and_password(user, first_line(file)?)
            }
            Some(Login::Token(file)) => connecting.token(first_line(file)?),
            None => connecting,
        };
        let client = connecting
            .connect(servers)
            .await
            .map_err(|error| NatsError::Options(error.to_string()))?;
        Ok(Self {
            client,
            publish_within: options.publish_within,
            ask_within: options.ask_within,
        })
    }

    /// The engine of one log.
    #[must_use]
    pub fn engine(&self, lane: &str, partition: Partition, layout: Layout) -> Arc<dyn Engine> {
        Arc::new(NatsEngine::new(self.clone(), lane, partition, layout))
    }

    /// The client, for what goes over the same connection and need not last.
    #[must_use]
    pub fn client(&self) -> &async_nats::Client {
        &self.client
    }

    /// The name of the server that this process is connected to.
    #[must_use]
    pub fn server(&self) -> Option<String> {
        self.is_connected()
            .then(|| self.client.server_info().server_name)
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }
}

/// The first line of a file that holds a secret.
fn first_line(path: PathBuf) -> Result<String, NatsError> {
    let text = std::fs::read_to_string(&path).map_err(|error| NatsError::File {
        path: path.clone(),
        error,
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(NatsError::Options(format!(
            "the first line of {} is empty",
            path.display()
        ))),
    }
}
