//! `bongsu certificates`: by what data centres know each other, for who has no authority of their own.

use crate::say;
use anyhow::{Context, Result, ensure};
use bongsu_base::DataCentre;
use bongsu_peer::Authority;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What can be done with certificates.
#[derive(Debug, Subcommand)]
pub enum CertificatesVerb {
    /// Make an authority: authority.pem, which every data centre has, and authority.key, which none may have
    Authority(MakeAuthority),
    /// Issue a data centre's certificate: NAME.pem and NAME.key
    Issue(Issue),
}

/// `bongsu certificates authority`.
#[derive(Debug, Args)]
pub struct MakeAuthority {
    /// Folder for the files; not on a machine that serves
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// `bongsu certificates issue`.
#[derive(Debug, Args)]
pub struct Issue {
    /// Folder with the authority's files, where the new ones go
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Name of the data centre, such as dc1
    #[arg(value_name = "NAME")]
    pub name: DataCentre,
    /// Names and addresses of its machines, as the engine's servers are called in `[log] servers`
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,
    /// For how many days it is in force
    #[arg(long, value_name = "DAYS", default_value_t = 398)]
    pub days: u16,
}

/// Does it.
pub fn run(verb: &CertificatesVerb) -> Result<()> {
    match verb {
        CertificatesVerb::Authority(MakeAuthority { dir }) => {
            std::fs::create_dir_all(dir)?;
            Authority::create(now())?.save(dir)?;
            say::line(format_args!(
                "Made {}. Keep authority.key away from the machines that serve: whoever has it can be any data centre.",
                dir.join("authority.pem").display()
            ));
        }
        CertificatesVerb::Issue(Issue {
            dir,
            name,
            hosts,
            days,
        }) => {
            ensure!(*days > 0, "a certificate is in force for a day at least");
            let authority = Authority::load(dir)?;
            let issued = authority.issue_for(name, hosts, now(), u32::from(*days) * DAY)?;
            let files = issued.save(dir)?;
            say::line(format_args!(
                "Made {} and its key. Bring both and authority.pem to {name}.",
                files.certificate.display()
            ));
        }
    }
    Ok(())
}

/// When the first certificate in the file at `path` expires, in seconds since 1970.
pub fn expiry(path: &Path) -> Result<i64> {
    let failed = || format!("the certificate {} cannot be read", path.display());
    let pem = std::fs::read(path).with_context(failed)?;
    bongsu_peer::expiry(&pem).with_context(failed)
}

/// The machine's clock, by which certificates are in force.
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate is in force by the machine's clock"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}
