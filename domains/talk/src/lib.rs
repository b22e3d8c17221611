//! Talk: rooms and messages.
//!
//! It promises that an event, once acknowledged, is in its room exactly once, in an order on which
//! everybody agrees; that who may do what in a room follows the room's own state (Matrix v1.19, room
//! versions 6 to 12, without federation); and that a repeat of a transaction gives the same event.
//! It never knows passwords or tokens: who is calling it learns through `web-kit`.

pub mod apply;
pub mod command;
pub mod http;
mod named;
mod outcome;
pub mod query;
pub mod state;

pub use command::Command;
pub use named::NamedMedia;
pub use outcome::{Accepted, Rejected};

use bongsu_lane::{Domain, NoEffect, Refusal};

/// The domain of rooms and messages.
#[derive(Debug, Clone, Copy)]
pub struct Talk;

/// What a rule of talk sees.
pub type Cx<'a> = bongsu_lane::Cx<'a, Talk>;

/// What applying a command gives.
pub type Applied = Result<Accepted, Refusal<Rejected>>;

impl Domain for Talk {
    const NAME: &'static str = "talk";
    const VERSION: u32 = 3;
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("migrations/0001.sql"),
        include_str!("migrations/0002_rooms.sql"),
        include_str!("migrations/0003_media.sql"),
        include_str!("migrations/0004_events.sql"),
        include_str!("migrations/0005_push.sql"),
        include_str!("migrations/0006_redacted.sql"),
        include_str!("migrations/0007_administration.sql"),
        include_str!("migrations/0008_previews.sql"),
        include_str!("migrations/0009_forgotten.sql"),
    ];
    type Command = Command;
    type Accepted = Accepted;
    type Rejected = Rejected;
    type Effect = NoEffect;

    fn since(command: &Command) -> u32 {
        match command {
            Command::ForgetHistory(_) | Command::InviteThirdParty(_) => 2,
            _ => 1,
        }
    }

    fn apply(cx: &mut Cx<'_>, command: Command) -> Applied {
        apply::apply(cx, command)
    }
}
