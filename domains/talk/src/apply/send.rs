//! Sending a message event.

use super::emit::{Draft, emit};
use super::relate::may_relate;
use super::{Ruled, actor, need_joined, need_power, room};
use crate::command::Send;
use crate::outcome::{Accepted, Rejected};
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_lane::Refusal;
use rusqlite::Connection;

/// Whether `user` may send an event of `kind` in `room`.
///
/// # Errors
/// When not, or the view fails.
pub fn may_send(db: &Connection, room: &Room, user: &str, kind: &str) -> Ruled<()> {
    need_joined(db, room, user)?;
    if matches!(kind, "m.room.redaction" | "m.room.create" | "m.room.member") {
        return Err(Refusal::Rejected(Rejected::Reserved(kind.to_owned())));
    }
    need_power(db, room, user, room.levels.event(kind, false)).map(drop)
}

pub fn apply(cx: &mut Cx<'_>, command: Send) -> Applied {
    let user = actor(cx)?;
    let mut room = room(cx.db(), &command.room)?;
    may_send(cx.db(), &room, user.as_str(), &command.kind)?;
    may_relate(
        cx.db(),
        &room,
        user.as_str(),
        (&command.kind, &command.content),
        None,
    )?;
    let draft = Draft {
        sender: user.as_str(),
        kind: &command.kind,
        state_key: None,
        content: &command.content,
        redacts: None,
        txn: command.txn.as_deref(),
    };
    emit(cx, &mut room, &draft).map(Accepted::Event)
}
