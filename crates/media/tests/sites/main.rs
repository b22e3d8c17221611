//! Three data centres on this machine, each with a folder of blobs, that speak with each other over TLS.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

mod country;
mod faults;
mod reading;
mod repairing;
mod sweeping;
mod uploading;
