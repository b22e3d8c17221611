//! What data centres say to each other directly, and not through the log: they read and write each
//! other's files, and ask each other how they are.
//!
//! One side is a [`Server`] on a listener of its own, the other a [`Peer`], whose stores are used like
//! any other object store. Both show a certificate (TLS 1.3, mutual; RFC 8446, section 4.4.2), and both
//! are known by the name of their data centre in it. The crate promises:
//!
//! - nobody is heard but the data centres that were named, with a certificate that is in force and was
//!   issued by the installation's own authority; all others are refused while shaking hands;
//! - what is offered is a store with rights ([`Rights`]), never a path of the machine: a name that leads
//!   out of the store cannot be written ([`object_store::path::Path`]);
//! - a file that was not sent whole is never taken for whole, in either direction;
//! - connections, transfers, lengths and bytes a second have bounds; so has every wait, on both sides.
//!
//! [`Authority`] makes the certificates, for a cluster on one machine, for tests, and for whoever has no
//! authority yet. The crate never knows what the files are.

mod admission;
mod certificates;
mod client;
mod error;
mod identity;
mod server;
mod stalling;
mod validity;
mod wire;

pub use certificates::{Authority, Issued};
pub use client::{Patience, Peer};
pub use error::PeerError;
pub use identity::{Files, Identity};
pub use server::{Limits, Offer, Rights, Server, Status};
pub use validity::expiry;
