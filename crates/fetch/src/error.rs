//! Why nothing was fetched.

use std::io;

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not one that is asked for here: another scheme, another port, credentials in it.
    #[error("this URL is not fetched: {0}")]
    BadUrl(&'static str),
    /// The operator's rules leave this host out.
    #[error("the operator does not have this host asked")]
    HostDenied,
    /// Every address of the host is one that is not asked.
    #[error("the host has no address that may be asked")]
    AddressDenied,
    /// The host has no address, or the name could not be looked up.
    #[error("the host was not found: {0}")]
    Unresolved(#[source] io::Error),
    /// No connection came about.
    #[error("the host could not be connected to: {0}")]
    Unconnected(#[source] io::Error),
    /// The two sides do not understand each other.
    #[error("the host's answer is not HTTP: {0}")]
    Protocol(#[from] hyper::Error),
    /// The answer is not one with a content.
    #[error("the host answered {0}")]
    Status(http::StatusCode),
    /// There is always one more redirect.
    #[error("the host leads on and on")]
    TooManyRedirects,
    /// The content's type is not among those that were wanted.
    #[error("the content is of another type: {0}")]
    OtherType(String),
    /// The content is coded in a way that is not known, or damaged.
    #[error("the content's coding is not known, or it is damaged")]
    Coding,
    /// It took too long.
    #[error("the host takes too long")]
    TooSlow,
}
