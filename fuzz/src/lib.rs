//! What the fuzz targets share: both domains' endpoints over logs in memory, with two people and a room.
//!
//! A target turns bytes into requests. Whatever they are, nothing may panic and no answer may be a 500:
//! that is a defect of ours by definition.

mod house;
mod words;

pub use house::{House, with_house};
pub use words::Words;
