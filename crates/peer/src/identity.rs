//! Who this data centre is, and how it recognises the others.

use crate::admission::{Admission, is_of};
use crate::error::PeerError;
use bongsu_base::DataCentre;
use bongsu_store::crypto;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a data centre's certificate stands; all of them PEM files.
#[derive(Debug, Clone)]
pub struct Files {
    /// Its own certificate, with those between it and the authority, if there are any.
    pub certificate: PathBuf,
    /// The key of its certificate.
    pub key: PathBuf,
    /// The certificates of the authority that issues for all data centres of the installation.
    pub authority: PathBuf,
}

/// Who this data centre is: its name, the certificate that says so, and the authority it trusts in.
#[derive(Debug, Clone)]
pub struct Identity {
    name: DataCentre,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    authority: Arc<RootCertStore>,
}

impl Identity {
    /// The data centre `name`, as `files` have it.
    ///
    /// # Errors
    /// When a file cannot be read or is no certificate or key, or when the certificate is not `name`'s.
    pub fn load(name: DataCentre, files: &Files) -> Result<Self, PeerError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| PeerError::File {
                path: path.to_owned(),
                error,
            })
        };
        Self::from_pem(
            name,
            &read(&files.certificate)?,
            &read(&files.key)?,
            &read(&files.authority)?,
        )
    }

    /// The data centre `name` with this certificate, its key, and the authority's certificates, in PEM.
    ///
    /// # Errors
    /// When one is not what it should be, or when the certificate is not `name`'s.
    pub fn from_pem(
        name: DataCentre,
        certificate: &[u8],
        key: &[u8],
        authority: &[u8],
    ) -> Result<Self, PeerError> {
        let chain = certificates("certificate", certificate)?;
        if !is_of(&chain[0], &name) {
            return Err(PeerError::NotOurs(name));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| PeerError::Malformed {
            what: "certificate's key",
            why: error.to_string(),
        })?;
        let mut trusted = RootCertStore::empty();
        for certificate in certificates("authority's certificate", authority)? {
            trusted.add(certificate)?;
        }
        Ok(Self {
            name,
            chain,
            key: Arc::new(key),
            authority: Arc::new(trusted),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &DataCentre {
        &self.name
    }

    /// What hears the data centres `admitted`, and nobody else.
    pub(crate) fn hearing(&self, admitted: &[DataCentre]) -> Result<ServerConfig, PeerError> {
        let chain =
            WebPkiClientVerifier::builder_with_provider(self.authority.clone(), crypto()).build();
        let chain = chain.map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(crypto())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(Admission::new(chain, admitted)))
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        // A session that is taken up again shows no certificate: one that has expired would be heard.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    /// What asks other data centres.
    pub(crate) fn asking(&self) -> Result<ClientConfig, PeerError> {
        let mut config = ClientConfig::builder_with_provider(crypto())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(self.authority.clone())
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// All certificates in `pem`, at least one.
pub(crate) fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, PeerError> {
    let malformed = |why: String| PeerError::Malformed { what, why };
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed(error.to_string()))?;
    if found.is_empty() {
        return Err(malformed("there is none".to_owned()));
    }
    Ok(found)
}
