//! What all TLS of the platform has in common.

use crate::place::PlaceError;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;

/// The cryptographic algorithms of all TLS connections. They are always named and never the process's
/// default: a library that brings others into the binary changes nothing.
#[must_use]
pub fn crypto() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Makes these the process's default too, for libraries that name none. To be called once, as it begins; a
/// second time changes nothing.
pub fn use_crypto() {
    // It fails where there is a default already, which is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The certificates in the PEM file `path`, at least one.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, PlaceError> {
    let refused = |why: String| PlaceError::Certificates {
        path: path.to_owned(),
        why,
    };
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(error.to_string()))?;
    if found.is_empty() {
        return Err(refused("it holds no certificate".to_owned()));
    }
    Ok(found)
}

/// Whom to trust: those in the file `own`, or the operating system's.
pub(crate) fn roots(own: Option<&Path>) -> Result<RootCertStore, PlaceError> {
    let mut roots = RootCertStore::empty();
    match own {
        Some(path) => {
            for certificate in certificates_in(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| PlaceError::Certificates {
                        path: path.to_owned(),
                        why: error.to_string(),
                    })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(PlaceError::NoRoots);
            }
        }
    }
    Ok(roots)
}
