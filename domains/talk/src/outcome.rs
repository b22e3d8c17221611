//! What commands answer.

use bongsu_base::{EventId, RoomId};
use serde::{Deserialize, Serialize};

/// What an accepted command answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accepted {
    /// It is done.
    Done,
    /// It made this event; or, where nothing had to change, this event stands.
    Event(EventId),
    /// It made or entered this room.
    Room(RoomId),
}

/// Why a command was not accepted. The texts are for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejected {
    /// There is no such room, as far as the actor may know.
    #[error("there is no such room here")]
    NoSuchRoom,
    /// There is no such event in the room.
    #[error("there is no such event in this room")]
    NoSuchEvent,
    /// The alias points nowhere.
    #[error("there is no such alias here")]
    NoSuchAlias,
    /// The actor is not in the room.
    #[error("you are not in this room; join it first")]
    NotJoined,
    /// The room is for those who were invited.
    #[error("this room is by invitation; ask somebody in it to invite you")]
    NotInvited,
    /// The person is banned.
    #[error("{who} banned from this room")]
    Banned {
        /// Subject and verb of the sentence: "you are" or "@user:server is".
        who: String,
    },
    /// The actor's power does not suffice.
    #[error("this needs power level {needed} in the room; you have {has}")]
    PowerTooLow {
        /// What it needs.
        needed: i64,
        /// What the actor has.
        has: i64,
    },
    /// The actor's power is not above that of the person or event it is about.
    #[error("your power level in the room does not allow this: {0}")]
    PowerNotAbove(String),
    /// The membership is not one from which this can be done.
    #[error("{0}")]
    WrongMembership(String),
    /// The alias points at a room already.
    #[error("this alias is taken")]
    AliasTaken,
    /// A room with this id exists.
    #[error("a room with this id exists")]
    RoomExists,
    /// The content is not what the event's type asks for.
    #[error("the content is not valid: {0}")]
    BadContent(String),
    /// The event can only be made by the server.
    #[error("events of type {0} are made by the server alone")]
    Reserved(String),
    /// The room's join rule has no place for knocking.
    #[error("this room does not take knocks")]
    NotKnockable,
    /// The content points where it cannot.
    #[error("{0}")]
    BadReference(String),
    /// The room's first state contradicts itself.
    #[error("the room cannot be made: {0}")]
    BadRoomState(String),
    /// The media has its content, which cannot be changed.
    #[error("this media has its content already; upload to a new media id")]
    MediaExists,
    /// There is no such media.
    #[error("there is no such media here, or its time has run out")]
    NoSuchMedia,
    /// It is for somebody else to do.
    #[error("{0}")]
    NotYours(String),
    /// The actor has asked for many media ids and not used them.
    #[error("at most {most} media ids can wait for their content; upload to those you have")]
    TooManyReserved {
        /// How many can wait.
        most: u32,
        /// When the first of them goes, in milliseconds from now.
        wait_ms: i64,
    },
    /// The actor's uploads would come to more than they may.
    #[error("your uploads may come to {quota} bytes; with this one they would be more")]
    OverQuota {
        /// How many bytes they may come to.
        quota: u64,
    },
    /// The event cannot relate to the one that it names.
    #[error("{0}")]
    BadRelation(String),
    /// The actor has annotated the event in this way already.
    #[error("you have annotated this event so already")]
    DuplicateAnnotation,
    /// The event is not in the thread that the receipt names.
    #[error("the event is not in this thread")]
    NotInThread,
    /// The event may not be redacted.
    #[error("events of type {0} cannot be redacted")]
    NotRedactable(String),
    /// What was to be changed is not what it was any more.
    #[error("this was changed by another of your devices meanwhile; try again")]
    Outdated,
    /// The room was closed by an operator.
    #[error("this room was closed by the operator of this server")]
    RoomBlocked,
    /// Somebody is in the room, so that it cannot be deleted.
    #[error("somebody is in this room; shut it down first")]
    RoomNotEmpty,
    /// There is no such report, or it was resolved.
    #[error("there is no such report, or it was resolved already")]
    NoSuchReport,
}
