//! Where a data centre keeps its files: a folder or a bucket of an S3 service, opened as an object store.
//!
//! It promises that whoever holds the store need not know which of the two it is, that every request to
//! an S3 service ends (connecting, the answer and every piece of it have a bound, and so has the time
//! in which a request is repeated), that secrets stand in no message, and that all of the platform's TLS
//! uses one set of cryptographic algorithms ([`crypto`]).
//!
//! It never knows what is stored.

mod connector;
mod pace;
mod place;
mod s3;
mod tls;
mod writer;

pub use pace::Pace;
pub use place::{Place, PlaceError};
pub use s3::{Bucket, Secret};
pub use tls::{certificates_in, crypto, use_crypto};
pub use writer::Writer;
