//! Everything that may be asked of talk. The encoding is postcard: variants and fields are only ever
//! appended as new variants; a released one never changes.
//!
//! Contents of events are JSON objects as text, compact and with sorted keys (see `http::json`). Who
//! asks stands in the record, not in the command.

use bongsu_base::{EventId, RoomId, UserId};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Makes a room with the actor in it.
    CreateRoom(CreateRoom),
    /// Sends a message event.
    Send(Send),
    /// Sets a piece of a room's state, but for memberships.
    SetState(SetState),
    /// Takes an event's content away.
    Redact(Redact),
    /// Changes somebody's membership in a room.
    Membership(Membership),
    /// Forgets a room that the actor has left, until something of their membership changes.
    Forget(RoomId),
    /// Moves the actor's receipts and markers.
    Receipt(Receipt),
    /// Points an alias at a room.
    SetAlias(SetAlias),
    /// Takes an alias away.
    DeleteAlias(String),
    /// Lists a room in the directory, or takes it out.
    SetListed {
        /// The room.
        room: RoomId,
        /// Whether it is listed.
        listed: bool,
    },
    /// Keeps something for the actor's clients.
    SetAccountData(SetAccountData),
    /// Keeps a filter of the actor's clients; equal filters have one id.
    SaveFilter {
        /// The filter's id.
        id: String,
        /// The filter.
        json: String,
    },
    /// Makes an uploaded blob known as media.
    AddMedia(AddMedia),
    /// Shows somebody's new profile in all their rooms.
    ShowProfile {
        /// The person.
        user: UserId,
        /// How they show themselves now.
        profile: Profile,
    },
    /// Takes somebody whose account was closed out of all rooms.
    LeaveAll {
        /// The person.
        user: UserId,
    },
    /// Shows the actor differently in one room.
    ShowIn {
        /// The room.
        room: RoomId,
        /// How they show themselves there.
        profile: Profile,
    },
    /// Replaces a room by a new one of another version.
    Upgrade(Upgrade),
    /// Makes an uploaded blob known as media, if the rules allow it.
    StoreMedia(StoreMedia),
    /// Gives the actor a media id before its content comes.
    ReserveMedia(ReserveMedia),
    /// Removes media; the operator alone may.
    DeleteMedia(String),
    /// Withholds media from everybody, or gives it back; the operator alone may.
    QuarantineMedia {
        /// The media id.
        id: String,
        /// Whether it is withheld.
        quarantined: bool,
    },
    /// Tells the administrators of an event, a room or a person.
    Report(Report),
    /// Puts the actor's push rules into force, all of them, unless they were changed meanwhile.
    SetPushRules {
        /// The content of `m.push_rules`.
        json: String,
        /// Where the rules that this was made from were last changed; 0 for the server's own.
        base: i64,
    },
    /// Sets or takes away one of the actor's tags of a room.
    SetTag {
        /// The room.
        room: RoomId,
        /// The tag.
        tag: String,
        /// What the tag carries, a JSON object; `None` takes it away.
        content: Option<String>,
    },
    /// Keeps a token by which other services can ask who the actor is.
    AddOpenIdToken {
        /// The token's hash, in hexadecimal.
        hash: String,
        /// For how long it is good, in milliseconds.
        lasts: i64,
    },
    /// Puts into force how long things are kept, in milliseconds; `None` is for ever.
    SetRetention {
        /// Events, but for state that is in force.
        events: Option<i64>,
        /// Media.
        media: Option<i64>,
    },
    /// Does some of what is due in a room by now: purging what is old, moving people out of a room that
    /// is being shut down, deleting a room.
    SweepRoom {
        /// The room.
        room: RoomId,
        /// How many rows, at most.
        most: u32,
    },
    /// Purges those of this media that are old enough by now.
    PurgeMedia {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Has what somebody wrote shown to nobody any more.
    Erase {
        /// The person.
        user: UserId,
    },
    /// Takes away some of what somebody who was erased wrote and uploaded.
    SweepErased {
        /// The person.
        user: UserId,
        /// How many rows, at most.
        most: u32,
    },
    /// Notes which picture somebody shows everywhere.
    ShowAvatar {
        /// The person.
        user: UserId,
        /// The picture, an `mxc://` URI.
        url: Option<String>,
    },
    /// What an operator does.
    Administer(Administer),
    /// Keeps a picture of a page that somebody linked to; the platform alone does.
    KeepPicture(KeepPicture),
    /// Changes somebody's membership in a room, with a content that the client gave.
    SetMembership(SetMembership),
    /// Shows in a room that somebody in it paid somebody in it; the platform alone does.
    ShowPayment(ShowPayment),
    /// Forgets a room that the actor has left, with all that they could read there, until they are in it again.
    ForgetHistory(RoomId),
    /// Invites somebody into a room of whom no user id is known yet.
    InviteThirdParty(ThirdPartyInvite),
}

/// See [`Command::InviteThirdParty`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThirdPartyInvite {
    /// The room.
    pub room: RoomId,
    /// The event's state key.
    pub token: String,
    /// The event's content.
    pub content: String,
}

/// See [`Command::ShowPayment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowPayment {
    /// The room.
    pub room: RoomId,
    /// Who paid.
    pub payer: UserId,
    /// Who was paid.
    pub payee: UserId,
    /// The event's content.
    pub content: String,
}

/// See [`Command::Administer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administer {
    /// Which administrator; `None` is whoever runs the installation.
    pub by: Option<UserId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// What.
    pub act: Act,
}

/// What an operator can do. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Keep everybody from entering a room, whether there is one or not.
    BlockRoom(RoomId),
    /// Let people enter again.
    UnblockRoom(RoomId),
    /// Move everybody out of a room and keep them out.
    ShutDownRoom(ShutDownRoom),
    /// Delete a room that nobody is in.
    PurgeRoom(RoomId),
    /// Withhold media from everybody, or give it back.
    QuarantineMedia {
        /// The media ids.
        ids: Vec<String>,
        /// Whether they are withheld.
        quarantined: bool,
        /// The room whose media they are, where that is why.
        room: Option<RoomId>,
    },
    /// Remove media.
    DeleteMedia {
        /// The media ids.
        ids: Vec<String>,
        /// Whose media they are, where that is why.
        user: Option<UserId>,
    },
    /// Keep media from going by age or with a room's, or no longer.
    ProtectMedia {
        /// The media id.
        id: String,
        /// Whether it is protected.
        protected: bool,
    },
    /// Close a report.
    ResolveReport {
        /// Which.
        report: i64,
    },
}

/// See [`Act::ShutDownRoom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutDownRoom {
    /// The room.
    pub room: RoomId,
    /// In whose name it is done.
    pub speaker: UserId,
    /// Why, for people to read.
    pub notice: String,
    /// A new room for those who were in it.
    pub replacement: Option<Replacement>,
}

/// A room that is made for those who were in one that is shut down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// Its id, made by the gateway.
    pub room: RoomId,
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: Option<String>,
}

/// How a person shows themselves, as it goes into their membership.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name to be shown.
    pub displayname: Option<String>,
    /// The picture, an `mxc://` URI.
    pub avatar_url: Option<String>,
}

/// See [`Command::CreateRoom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRoom {
    /// The room's id, made by the gateway.
    pub room: RoomId,
    /// Room version (Matrix v1.19, room versions).
    pub version: String,
    /// Content of `m.room.create` but for what the version adds.
    pub create: String,
    /// How the creator shows themselves.
    pub profile: Profile,
    /// Content of `m.room.power_levels`.
    pub power_levels: String,
    /// The state that follows, in order: type, state key, content.
    pub state: Vec<(String, String, String)>,
    /// An alias to point at the room.
    pub alias: Option<String>,
    /// Whom to invite.
    pub invite: Vec<(UserId, Profile)>,
    /// Whether the invitations are for a direct conversation.
    pub is_direct: bool,
    /// Whether the room is listed in the directory.
    pub listed: bool,
}

/// See [`Command::Send`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The room.
    pub room: RoomId,
    /// The event's type.
    pub kind: String,
    /// Its content.
    pub content: String,
    /// The client's transaction id, given back to the device that sent it.
    pub txn: Option<String>,
}

/// See [`Command::SetState`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetState {
    /// The room.
    pub room: RoomId,
    /// The event's type.
    pub kind: String,
    /// Its state key.
    pub state_key: String,
    /// Its content.
    pub content: String,
}

/// See [`Command::Redact`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redact {
    /// The room.
    pub room: RoomId,
    /// The event whose content goes.
    pub event: EventId,
    /// Content of the redaction event: a reason, mostly.
    pub content: String,
    /// The client's transaction id.
    pub txn: Option<String>,
}

/// What becomes of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Ask somebody in.
    Invite,
    /// Come in.
    Join,
    /// Go, or decline an invitation.
    Leave,
    /// Put somebody out.
    Kick,
    /// Put somebody out and keep them out.
    Ban,
    /// Let somebody who was banned be asked in again.
    Unban,
    /// Ask to be asked in.
    Knock,
}

/// See [`Command::Membership`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// Whose membership; the actor's own for join and leave.
    pub user: UserId,
    /// What becomes of it.
    pub action: Action,
    /// Why, for people to read.
    pub reason: Option<String>,
    /// How the person shows themselves.
    pub profile: Profile,
    /// Whether an invitation is for a direct conversation.
    pub is_direct: bool,
}

/// See [`Command::Receipt`]. Markers that are absent stay where they are; none moves backwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The room.
    pub room: RoomId,
    /// How far the actor has read, for all to see.
    pub read: Option<EventId>,
    /// How far the actor has read, for their own devices alone.
    pub read_private: Option<EventId>,
    /// Where the actor's clients show the line.
    pub fully_read: Option<EventId>,
    /// The thread: empty for none, `main`, or its root event.
    pub thread: String,
}

/// See [`Command::SetAlias`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAlias {
    /// `#local:server`.
    pub alias: String,
    /// The room.
    pub room: RoomId,
}

/// See [`Command::SetAccountData`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAccountData {
    /// The room it belongs to, or the account as a whole.
    pub room: Option<RoomId>,
    /// Its type.
    pub kind: String,
    /// Its content.
    pub content: String,
}

/// See [`Command::AddMedia`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddMedia {
    /// The media id, made by the gateway.
    pub id: String,
    /// The blob's hash, in hexadecimal.
    pub blob: String,
    /// Its length.
    pub bytes: u64,
    /// What the uploader said it is.
    pub content_type: Option<String>,
    /// What the uploader called it.
    pub filename: Option<String>,
}

/// See [`Command::Upgrade`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// The room that is replaced.
    pub room: RoomId,
    /// The new room's id, made by the gateway.
    pub replacement: RoomId,
    /// The new room's version.
    pub version: String,
    /// Creators of the new room beside the actor, from version 12 on.
    pub additional_creators: Vec<UserId>,
    /// How the actor shows themselves.
    pub profile: Profile,
}

/// See [`Command::StoreMedia`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreMedia {
    /// The media.
    pub media: AddMedia,
    /// Whether the id was given out before; otherwise the gateway made it just now.
    pub reserved: bool,
    /// How many bytes the actor's uploads may come to.
    pub quota: Option<u64>,
}

/// See [`Command::ReserveMedia`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveMedia {
    /// The media id, made by the gateway.
    pub id: String,
    /// For how long it may be used, in milliseconds from the entry's time.
    pub lifetime_ms: i64,
    /// How many ids the actor may have whose content has not come.
    pub most: u32,
}

/// See [`Command::Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The room it is about, or that the event is in.
    pub room: Option<RoomId>,
    /// The event it is about.
    pub event: Option<EventId>,
    /// The person it is about.
    pub user: Option<UserId>,
    /// Why, for people to read.
    pub reason: Option<String>,
}

/// See [`Command::KeepPicture`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepPicture {
    /// The picture.
    pub media: AddMedia,
    /// For how long it is kept at least, in milliseconds from the entry's time.
    pub lifetime_ms: i64,
}

/// See [`Command::SetMembership`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMembership {
    /// The room.
    pub room: RoomId,
    /// Whose membership it is.
    pub user: UserId,
    /// What is done.
    pub action: Action,
    /// The membership's content; which membership it is follows from the action.
    pub content: String,
}
