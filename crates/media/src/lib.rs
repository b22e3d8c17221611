//! Blobs (pictures, recordings, files) in an object store, each under the hash of its content, in one
//! data centre or in several.
//!
//! A blob's id is the BLAKE3 hash of its bytes, so it can never change under its id, the same content
//! is stored once, and whoever reads it can tell whether it is what was written. The crate promises:
//!
//! - a blob is visible whole or not at all: it is written under a temporary name while it is hashed,
//!   and renamed to `blobs/ab/cdef…` once it is whole; with [`Media::local`] it is on the disk
//!   (`fsync` of file and folders) before [`Media::put`] returns;
//! - with neighbours ([`Media::across`]), it is in a second data centre before [`Media::put`] returns,
//!   and what is missing or damaged here is read there, and brought here by the [`Repair`];
//! - a damaged blob is never served whole: [`Media::get`] hashes while it reads, ends the stream with
//!   an error before the last piece, and reports it in the log; [`Media::get_range`] compares the whole
//!   before it gives a part, up to 64 MiB;
//! - nothing is unbounded: a blob has a size that it may not exceed, uploads at the same time are
//!   counted and copies have a time ([`Limits`]), an upload holds no more than two pieces in memory, and
//!   repairs have a pace ([`Plan`]);
//! - an upload that broke off leaves nothing that is ever taken for a blob; what a crash left is swept
//!   by [`Media::local`], and otherwise by the [`Repair`];
//! - a blob that is named is never removed: across data centres only the [`Repair`] removes any, and what
//!   it looks at before is told there ([`Named`]).
//!
//! Writing a blob again also mends a damaged one, since the new copy takes the old one's place.
//!
//! It never knows what a blob means or who may read it, and learns which are still wanted through
//! [`Named`] alone.

mod blob;
mod draft;
mod error;
mod fetch;
mod get;
mod known;
mod metrics;
mod named;
mod neighbour;
mod open;
mod put;
mod reading;
mod repair;
mod shelf;
mod verify;
mod wanted;

pub use blob::{Blob, BlobId, NotABlobId};
pub use error::MediaError;
pub use get::Pieces;
pub use metrics::MediaMetrics;
pub use named::{Named, NamedError};
pub use neighbour::Neighbour;
pub use open::{Limits, Media};
pub use repair::{Passed, Plan, Repair, Scrubbed};
pub use verify::Verified;
