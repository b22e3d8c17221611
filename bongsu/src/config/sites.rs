//! What is configured in a file alone: the engine of the log, and the other data centres.

use anyhow::{Context, Result, ensure};
use bongsu_base::DataCentre;
use bongsu_log::jetstream::{NatsOptions, Tls};
use bongsu_peer::{Files, Identity, Patience, Peer};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// `[log]`: where the log lives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// `sqlite` (a file in the data folder) or `jetstream` (NATS servers in several data centres).
    pub kind: LogKind,
    /// The engine's servers, `tls://host:port` or `nats://host:port`, the own data centre's first.
    #[serde(default)]
    pub servers: Vec<String>,
    /// How many servers hold each entry: 3, or 1 to try things.
    #[serde(default = "three")]
    pub replicas: u8,
    /// Certificates of the authority that signed the servers' own, in PEM.
    pub authority: Option<PathBuf>,
    /// Certificate that this process shows, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub key: Option<PathBuf>,
}

/// What keeps the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// One SQLite file.
    Sqlite,
    /// NATS JetStream.
    Jetstream,
}

/// `[peer]`: where the other data centres reach this one, and as whom it speaks to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSection {
    /// Address and port at which other data centres are heard.
    pub listen: SocketAddr,
    /// Certificates of the authority that issues for all data centres, in PEM.
    pub authority: PathBuf,
    /// This data centre's certificate, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// `[[peers]]`: another data centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherSection {
    /// Its name, as it stands in its certificate.
    pub data_centre: DataCentre,
    /// Host and port at which it hears other data centres.
    pub address: String,
    /// How far it is, in any unit: the nearest is asked first.
    #[serde(default)]
    pub distance: u32,
    /// URL under which people's clients reach it.
    pub client_url: String,
}

fn three() -> u8 {
    3
}

/// An installation in several data centres, seen from this one.
#[derive(Debug, Clone)]
pub struct Sites {
    /// This data centre.
    pub own: DataCentre,
    /// How the engine is reached.
    pub engine: NatsOptions,
    /// How many servers hold each entry.
    pub replicas: u8,
    /// Where and as whom this one speaks to the others.
    pub peer: PeerSection,
    /// The others.
    pub others: Vec<OtherSection>,
}

/// What a file says of data centres, before it is known whether that is enough.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// `data_centre`.
    pub own: Option<DataCentre>,
    /// `[log]`.
    pub log: Option<LogSection>,
    /// `[peer]`.
    pub peer: Option<PeerSection>,
    /// `[[peers]]`.
    pub others: Vec<OtherSection>,
}

impl Sites {
    /// What `said` comes to; `None` for one machine alone.
    pub fn of(said: Said) -> Result<Option<Self>> {
        let Some(log) = said.log.filter(|log| log.kind == LogKind::Jetstream) else {
            ensure!(
                said.peer.is_none() && said.others.is_empty(),
                "[peer] and [[peers]] are for several data centres, whose log is `[log] kind = \"jetstream\"`"
            );
            return Ok(None);
        };
        let own = said
            .own
            .context("data_centre is missing: several data centres tell each other apart by it")?;
        ensure!(
            !log.servers.is_empty(),
            "[log] servers is empty: name the engine's servers"
        );
        ensure!(
            matches!(log.replicas, 1 | 3),
            "[log] replicas is {}: expected 3, or 1 to try things",
            log.replicas
        );
        let peer = said.peer.context(
            "[peer] is missing: listen, authority, certificate and key for the other data centres",
        )?;
        ensure!(
            said.others.iter().all(|other| other.data_centre != own),
            "[[peers]] names {own}, which is this data centre itself"
        );
        let mut engine = NatsOptions::new(log.servers);
        engine.name = format!("bongsu-{own}");
        engine.tls = match (log.authority, log.certificate, log.key) {
            (Some(authority), Some(certificate), Some(key)) => Some(Tls {
                authority,
                own: Some((certificate, key)),
            }),
            (Some(authority), None, None) => Some(Tls {
                authority,
                own: None,
            }),
            (None, None, None) => None,
            _ => anyhow::bail!("[log] authority, certificate and key belong together"),
        };
        Ok(Some(Self {
            own,
            engine,
            replicas: log.replicas,
            peer,
            others: said.others,
        }))
    }

    /// As the lanes see it.
    pub fn names(&self) -> bongsu_lane::Sites {
        let mut all: Vec<_> = self
            .others
            .iter()
            .map(|other| other.data_centre.clone())
            .collect();
        all.push(self.own.clone());
        all.sort();
        bongsu_lane::Sites {
            own: self.own.clone(),
            all,
        }
    }

    /// The certificates that this data centre shows to the others (`peer`) and to the engine (`log`), and those of the
    /// authorities by which it knows them.
    pub fn certificates(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let tls = self.engine.tls.as_ref();
        let own = tls.and_then(|tls| tls.own.as_ref());
        let peer = &self.peer;
        let all = [
            ("peer", Some(&peer.certificate)),
            ("peer-authority", Some(&peer.authority)),
            ("log", own.map(|(certificate, _)| certificate)),
            ("log-authority", tls.map(|tls| &tls.authority)),
        ];
        let named = all.into_iter();
        named.filter_map(|(role, path)| Some((role, path?.as_path())))
    }

    /// As whom this data centre speaks.
    pub fn identity(&self) -> Result<Identity> {
        let PeerSection {
            authority,
            certificate,
            key,
            ..
        } = self.peer.clone();
        let files = Files {
            certificate,
            key,
            authority,
        };
        Identity::load(self.own.clone(), &files)
            .with_context(|| format!("the certificate of the data centre {}", self.own))
    }

    /// The others, nearest first, to be asked as `identity`.
    pub fn peers(&self, identity: &Identity) -> Result<Vec<Peer>> {
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by_key(|other| (other.distance, other.data_centre.clone()));
        let peer = |other: &&OtherSection| {
            let patience = Patience::default();
            Peer::new(
                identity,
                other.data_centre.clone(),
                &other.address,
                patience,
            )
        };
        Ok(others.iter().map(peer).collect::<Result<_, _>>()?)
    }
}
