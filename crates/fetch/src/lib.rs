//! Requests to addresses that strangers name: a link in a message, say.
//!
//! It promises that no such request reaches a machine of the operator's own networks: a name is resolved
//! here, each address is checked, the connection goes to exactly the address that was checked, and every
//! redirect begins anew. It promises that a request ends, in time and in memory, whatever the other side
//! does. It never knows what a page means, and it never asks through a proxy or carries a credential.

mod address;
mod body;
mod connect;
mod error;
mod fetch;
mod resolve;
mod rules;

pub use error::FetchError;
pub use fetch::{Fetched, Fetcher, Limits, Wanted};
pub use resolve::{Resolve, SystemResolver};
pub use rules::{HostPattern, Rules, is_own_machine, is_service};

pub use ipnet::IpNet;
pub use rustls::RootCertStore;
pub use url::Url;
