//! What people's clients keep here.

use super::emit::user_topic;
use super::{actor, room};
use crate::command::SetAccountData;
use crate::outcome::Accepted;
use crate::state::account;
use crate::{Applied, Cx};

pub fn set_data(cx: &mut Cx<'_>, command: &SetAccountData) -> Applied {
    let user = actor(cx)?;
    let room = match &command.room {
        Some(id) => room(cx.db(), id)?.n,
        None => 0,
    };
    let changed = cx.position().as_i64();
    account::set_data(
        cx.db(),
        (user.as_str(), room, &command.kind),
        &command.content,
        changed,
    )?;
    cx.wake(user_topic(user.as_str()));
    Ok(Accepted::Done)
}

pub fn save_filter(cx: &mut Cx<'_>, id: &str, json: &str) -> Applied {
    let user = actor(cx)?;
    cx.db()
        .prepare_cached(
            "INSERT INTO filter (user, id, json) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((user.as_str(), id, json))?;
    Ok(Accepted::Done)
}
