//! Why a data centre cannot be spoken with.

use bongsu_base::DataCentre;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a data centre cannot be spoken with.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A file could not be read or written.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// A certificate or key is not one.
    #[error("the {what} cannot be read: {why}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The certificate is somebody else's.
    #[error(
        "the certificate is not the one of the data centre {0}: its name must be among the DNS names in it"
    )]
    NotOurs(DataCentre),
    /// TLS cannot be set up with this certificate and key.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("a certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What happened.
        error: std::io::Error,
    },
    /// The other data centre did not answer, or not well.
    #[error("the data centre {peer}: {why}")]
    Unreachable {
        /// Who was asked.
        peer: DataCentre,
        /// What happened.
        why: String,
    },
}
