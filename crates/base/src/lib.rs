//! The words that every crate of Bongsu shares: typed ids, log time, positions and seeds.
//!
//! It promises that two things of different kinds can never be mixed up (a room is not an event, a
//! sequence is not a time) and that every value that exists is well-formed. It does no I/O, reads no
//! clock and makes no random number, so that everything above it can be replayed.

mod epoch;
mod id;
mod place;
mod seed;
mod time;

pub use epoch::{Epoch, Epochs, EpochsError};
pub use id::{
    DataCentre, DeviceId, EventId, IdError, ProcessId, RecordId, RoomId, ServerName, UserId,
};
pub use place::{Partition, Position, Seq};
pub use seed::Seed;
pub use time::{LogTime, Millis};
