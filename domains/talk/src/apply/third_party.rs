//! Inviting somebody of whom no user id is known yet (Matrix v1.19, third-party invites).

use super::{Ruled, actor, need_joined, need_power, room, set_state};
use crate::command::ThirdPartyInvite;
use crate::outcome::Accepted;
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use rusqlite::Connection;

/// The type of these events.
pub const THIRD_PARTY_INVITE: &str = "m.room.third_party_invite";

/// Whether `user` may invite somebody into `room` so: whoever may invite may, and nothing else counts (Matrix v1.19,
/// room version 11, authorization rule 6).
///
/// # Errors
/// When not, or the view fails.
pub fn may_invite_third_party(db: &Connection, room: &Room, user: &str) -> Ruled<()> {
    need_joined(db, room, user)?;
    need_power(db, room, user, room.levels.invite).map(drop)
}

/// See [`crate::Command::InviteThirdParty`].
pub fn apply(cx: &mut Cx<'_>, command: &ThirdPartyInvite) -> Applied {
    let user = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    may_invite_third_party(cx.db(), &room, user.as_str())?;
    let state = (THIRD_PARTY_INVITE, &*command.token, &*command.content);
    set_state::put(cx, &mut room, user.as_str(), state).map(Accepted::Event)
}
