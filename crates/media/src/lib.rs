//! Blobs (pictures, recordings, files) in an object store, each under the hash of its content.
//!
//! A blob's id is the BLAKE3 hash of its bytes, so it can never change under its id, the same content
//! is stored once, and whoever reads it can tell whether it is what was written. The crate promises:
//!
//! - a blob is visible whole or not at all: it is written under a temporary name while it is hashed,
//!   and renamed to `blobs/ab/cdef…` once it is whole; with [`Media::local`] it is on the disk
//!   (`fsync` of file and folders) before [`Media::put`] returns;
//! - a damaged blob is never served whole: [`Media::get`] hashes while it reads, ends the stream with
//!   an error before the last piece, and reports it in the log; only [`Media::get_range`] cannot tell;
//! - nothing is unbounded: a blob has a size that it may not exceed, uploads at the same time are
//!   counted ([`Limits`]), and an upload holds no more than two pieces in memory;
//! - an upload that broke off leaves nothing that is ever taken for a blob; what a crash left is swept
//!   by [`Media::local`].
//!
//! Writing a blob again also mends a damaged one, since the new copy takes the old one's place.
//!
//! It never knows what a blob means, who may read it, or which of them are still wanted.

mod blob;
mod error;
mod get;
mod open;
mod put;
mod verify;

pub use blob::{Blob, BlobId, NotABlobId};
pub use error::MediaError;
pub use get::Pieces;
pub use open::{Limits, Media};
pub use verify::Verified;
