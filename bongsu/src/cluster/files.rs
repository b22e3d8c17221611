//! What the processes of each data centre are told: certificates and configuration files.

use super::ClusterArgs;
use super::plan::{Plan, Service, Site};
use crate::certificates::now;
use crate::config::WhoMayRegister;
use anyhow::{Context, Result};
use bongsu_identity::Vault;
use bongsu_peer::{Authority, Files};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the certificates of a cluster on one machine are in force.
const IN_FORCE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What one data centre's processes are started with.
#[derive(Debug, Clone)]
pub struct Written {
    /// The engine's configuration.
    pub engine: PathBuf,
    /// The platform's.
    pub platform: PathBuf,
}

/// Writes the files of all data centres; certificates that are there already are kept.
pub fn write(plan: &Plan, asked: &ClusterArgs) -> Result<Vec<Written>> {
    let trust = plan.dir().join("trust");
    std::fs::create_dir_all(&trust)
        .with_context(|| format!("the folder {} cannot be made", trust.display()))?;
    let authority = authority(&trust)?;
    let mut written = Vec::new();
    for site in plan.sites() {
        std::fs::create_dir_all(&site.dir)
            .with_context(|| format!("the folder {} cannot be made", site.dir.display()))?;
        let files = certificate(plan, &authority, &trust, &site)?;
        let engine = site.dir.join("nats.conf");
        put(&engine, &engine_text(plan, &site, &files))?;
        let platform = site.dir.join("bongsu.toml");
        put(&platform, &platform_text(plan, &site, &files, asked)?)?;
        written.push(Written { engine, platform });
    }
    Ok(written)
}

fn authority(trust: &Path) -> Result<Authority> {
    if trust.join("authority.key").exists() {
        return Ok(Authority::load(trust)?);
    }
    let authority = Authority::create(now())?;
    authority.save(trust)?;
    Ok(authority)
}

fn certificate(plan: &Plan, authority: &Authority, trust: &Path, site: &Site) -> Result<Files> {
    let file = |ending: &str| trust.join(format!("{}.{ending}", site.name));
    let (certificate, key) = (file("pem"), file("key"));
    if certificate.exists() && key.exists() {
        return Ok(Files {
            certificate,
            key,
            authority: trust.join("authority.pem"),
        });
    }
    // Whoever asks for a data centre here names an address of this machine.
    let hosts: Vec<String> = plan
        .sites()
        .iter()
        .map(|other| plan.ip(other.number).to_string())
        .collect();
    let issued = authority.issue_for(&site.name, &hosts, now(), IN_FORCE)?;
    Ok(issued.save(trust)?)
}

fn put(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// The engine's configuration (NATS server 2.15).
fn engine_text(plan: &Plan, site: &Site, files: &Files) -> String {
    let tls = |verify: &str| {
        format!(
            "tls {{ cert_file: {}, key_file: {}, ca_file: {}, {verify}: true, timeout: 5 }}",
            quoted(&files.certificate),
            quoted(&files.key),
            quoted(&files.authority),
        )
    };
    let number = site.number;
    let others = plan
        .sites()
        .into_iter()
        .filter(|other| other.number != number);
    let routes: Vec<String> = others
        .map(|other| {
            format!(
                "\"tls://{}\"",
                plan.road(Service::Routes, number, other.number)
            )
        })
        .collect();
    let users: Vec<String> = plan
        .sites()
        .iter()
        .map(|site| format!("{{ user: \"{}\" }}", site.name))
        .collect();
    let mut text = String::from("# Written by `bongsu cluster` whenever it begins.\n");
    let lines = [
        format!("server_name: \"{}\"", site.name),
        format!("server_tags: [\"dc:{}\"]", site.name),
        format!("listen: \"{}\"", plan.own(Service::Engine, number)),
        "ping_interval: \"2s\"".to_owned(),
        "max_payload: 2MB".to_owned(),
        // Who shows a data centre's certificate is that data centre; nobody else is heard.
        tls("verify_and_map"),
        format!("authorization {{ users: [{}] }}", users.join(", ")),
        format!(
            "jetstream {{ store_dir: {}, sync_interval: always, unique_tag: \"dc:\" }}",
            quoted(&site.dir.join("nats"))
        ),
        format!(
            "cluster {{ name: bongsu, listen: \"{}\", no_advertise: true, routes: [{}], {} }}",
            plan.own(Service::Routes, number),
            routes.join(", "),
            tls("verify")
        ),
    ];
    for line in lines {
        writeln!(text, "{line}").expect("writes to memory");
    }
    text
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

/// The key that seals the keys of sign-in, the same for all data centres.
fn sign_in_key(plan: &Plan) -> Result<PathBuf> {
    let path = plan.dir().join("trust").join("sign-in.key");
    if !path.exists() {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        put(&path, &Vault::file(&key))?;
    }
    Ok(path)
}

#[derive(Serialize)]
struct Platform<'a> {
    data: PathBuf,
    listen: String,
    server_name: &'a str,
    registration: String,
    client_registration: &'static str,
    data_centre: &'a str,
    issuer: String,
    sign_in_key_file: PathBuf,
    log: Log,
    peer: Peer,
    pay: Pay,
    peers: Vec<Other>,
}

#[derive(Serialize)]
struct Pay {
    bank: Bank,
}

#[derive(Serialize)]
struct Bank {
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Log {
    kind: &'static str,
    servers: Vec<String>,
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Serialize)]
struct Peer {
    listen: String,
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Serialize)]
struct Other {
    data_centre: String,
    address: String,
    distance: usize,
    client_url: String,
}

/// The platform's configuration.
fn platform_text(plan: &Plan, site: &Site, files: &Files, asked: &ClusterArgs) -> Result<String> {
    let number = site.number;
    // The own engine first.
    let mut all = plan.sites();
    all.rotate_left(number - 1);
    let servers = all
        .iter()
        .map(|other| format!("tls://{}", plan.road(Service::Engine, number, other.number)))
        .collect();
    let Files {
        certificate,
        key,
        authority,
    } = files.clone();
    let platform = Platform {
        data: site.dir.join("data"),
        listen: plan.public(number).to_string(),
        server_name: asked.server_name.as_str(),
        registration: asked.registration.to_string(),
        // Where people make accounts for themselves, their apps make themselves known too.
        client_registration: match asked.registration {
            WhoMayRegister::Open => "open",
            _ => "closed",
        },
        data_centre: site.name.as_str(),
        // In the world this is a name that leads to whichever data centre is there.
        issuer: format!("http://{}", plan.public(1)),
        sign_in_key_file: sign_in_key(plan)?,
        log: Log {
            kind: "jetstream",
            servers,
            authority: authority.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
        },
        peer: Peer {
            listen: plan.own(Service::Peer, number).to_string(),
            authority,
            certificate,
            key,
        },
        pay: Pay {
            bank: Bank {
                kind: "http",
                url: format!("http://{}", plan.bank()),
            },
        },
        peers: all[1..]
            .iter()
            .enumerate()
            .map(|(distance, other)| Other {
                data_centre: other.name.to_string(),
                address: plan.road(Service::Peer, number, other.number).to_string(),
                distance: distance + 1,
                client_url: format!("http://{}", plan.public(other.number)),
            })
            .collect(),
    };
    let text = toml::to_string(&platform)?;
    Ok(format!(
        "# Written by `bongsu cluster` whenever it begins.\n{text}"
    ))
}
