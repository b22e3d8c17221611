//! For services whose people sign in with Bongsu: access tokens are verified here, with keys that are warm, also while
//! nobody there can be reached.
//!
//! It promises that a token is taken only if the provider signed it for one of the named clients, it has not expired
//! and no list that is known says that it was revoked; that what is known is at most as old as the service says
//! ([`Settings::bound`]); and that what happens beyond that bound is what the service declared ([`Past`]), never an accident. It
//! never asks the provider about one token, so that it cannot learn what people do.

mod fetch;
mod layer;
mod list;
mod verify;

pub use fetch::{Fetch, Fetched, HttpFetch};
pub use layer::require;
pub use verify::{Claims, Past, Refusal, Settings, Verified, Verifier};
