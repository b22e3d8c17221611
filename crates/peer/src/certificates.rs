//! An authority, and the certificates that it issues.

use crate::error::PeerError;
use crate::identity::{Files, Identity};
use bongsu_base::DataCentre;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The authority's own name, in all installations the same. It says nothing: what is trusted is its key.
const NAME: &str = "Bongsu data centres";
/// Clocks differ; a certificate is in force this long before it was made.
const EARLIER: Duration = Duration::from_secs(60 * 60);
/// How long the authority's own certificate is in force.
const AUTHORITY_FOR: Duration = Duration::from_secs(20 * 365 * 24 * 60 * 60);

/// Issues the certificates of all data centres of an installation. Whoever holds its key can be any of
/// them: keep it away from the machines that serve.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A data centre's certificate, and its key.
pub struct Issued {
    name: DataCentre,
    certificate: String,
    key: String,
    authority: String,
}

impl Authority {
    /// A new authority, at the time `now`.
    ///
    /// # Errors
    /// When there is no randomness for its key.
    pub fn create(now: SystemTime) -> Result<Self, PeerError> {
        let key = KeyPair::generate()?;
        let params = own(now);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority that [`Authority::save`] left in `folder`.
    ///
    /// # Errors
    /// When its files cannot be read, or are none.
    pub fn load(folder: &Path) -> Result<Self, PeerError> {
        let (certificate, key) = files(folder, "authority");
        let key = KeyPair::from_pem(&read(&key)?)?;
        Ok(Self {
            certificate: read(&certificate)?,
            // Of its own certificate, nothing but the name and the key stand in those that it issues.
            issuer: Issuer::new(own(SystemTime::UNIX_EPOCH), key),
        })
    }

    /// Writes `authority.pem` and `authority.key` into `folder`; the key for its owner's eyes alone.
    ///
    /// # Errors
    /// When one is there already, or cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), PeerError> {
        let (certificate, key) = files(folder, "authority");
        write_new(&key, &self.issuer.key().serialize_pem(), 0o600)?;
        write_new(&certificate, &self.certificate, 0o644)
    }

    /// A certificate for the data centre `name`, in force at `now` and for `span` afterwards.
    ///
    /// # Errors
    /// When there is no randomness for its key.
    pub fn issue(
        &self,
        name: &DataCentre,
        now: SystemTime,
        span: Duration,
    ) -> Result<Issued, PeerError> {
        self.issue_for(name, &[], now, span)
    }

    /// The same, for `hosts` too: names and addresses of its machines, by which the log's engine is known.
    ///
    /// # Errors
    /// As [`Authority::issue`], and when one of them is neither a name nor an address.
    pub fn issue_for(
        &self,
        name: &DataCentre,
        hosts: &[String],
        now: SystemTime,
        span: Duration,
    ) -> Result<Issued, PeerError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([&[name.as_str().to_owned()], hosts].concat())?;
        params.distinguished_name = named(name.as_str());
        params.not_before = (now - EARLIER).into();
        params.not_after = (now + span).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Every data centre is asked, and asks.
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        Ok(Issued {
            name: name.clone(),
            certificate: params.signed_by(&key, &self.issuer)?.pem(),
            key: key.serialize_pem(),
            authority: self.certificate.clone(),
        })
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("Issued")
            .field("name", &self.name)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Issued {
    /// The data centre with this certificate.
    ///
    /// # Errors
    /// None that is known: what was issued is well-formed.
    pub fn identity(&self) -> Result<Identity, PeerError> {
        Identity::from_pem(
            self.name.clone(),
            self.certificate.as_bytes(),
            self.key.as_bytes(),
            self.authority.as_bytes(),
        )
    }

    /// Writes `NAME.pem` and `NAME.key` into `folder`, beside the authority's `authority.pem`, and gives
    /// what is to be configured.
    ///
    /// # Errors
    /// When one is there already, or cannot be written.
    pub fn save(&self, folder: &Path) -> Result<Files, PeerError> {
        let (certificate, key) = files(folder, self.name.as_str());
        write_new(&key, &self.key, 0o600)?;
        write_new(&certificate, &self.certificate, 0o644)?;
        let (authority, _) = files(folder, "authority");
        Ok(Files {
            certificate,
            key,
            authority,
        })
    }
}

/// What stands in the authority's own certificate.
fn own(now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now.checked_sub(EARLIER).unwrap_or(now)).into();
    params.not_after = (now + AUTHORITY_FOR).into();
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn files(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    (file("pem"), file("key"))
}

fn read(path: &Path) -> Result<String, PeerError> {
    std::fs::read_to_string(path).map_err(|error| PeerError::File {
        path: path.to_owned(),
        error,
    })
}

/// Writes a file that is not there yet: a key that is overwritten is lost.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), PeerError> {
    let write = || {
        let mut file: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| PeerError::File {
        path: path.to_owned(),
        error,
    })
}
