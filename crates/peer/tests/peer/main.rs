//! Two data centres that speak with each other over TLS on this machine.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

mod admission;
mod bounds;
mod files;
mod pair;
