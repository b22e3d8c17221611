//! Support for the tests that run real clients against the real binary.
//!
//! It starts, kills and restarts the server as a process of its own, and speaks plain HTTP where a
//! client library would hide what the wire said. It knows the command line, the data folder's layout
//! and the Matrix protocol; it must never know a crate of the house, since what it tests is what a
//! stranger would see.

mod browser;
mod cluster;
mod device;
mod server;

pub use browser::{Browser, Page};
pub use cluster::Cluster;
pub use device::{Answer, Device, Message};
pub use server::{Finished, Server, TEST_PASSWORD, binary};
