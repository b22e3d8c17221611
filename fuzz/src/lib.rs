//! What the fuzz targets share: both domains' endpoints over logs in memory, with two people and a room, and the OpenID
//! provider.
//!
//! A target turns bytes into requests. Whatever they are, nothing may panic and no answer may be a 500:
//! that is a defect of ours by definition.

mod door;
mod house;
mod words;

pub use door::{Door, ISSUER, signer, with_door};
pub use house::{House, with_house};
pub use words::Words;
