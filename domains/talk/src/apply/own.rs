//! What is one person's own: push rules, tags, tokens for other services.

use super::emit::user_topic;
use super::{actor, object, room};
use crate::outcome::{Accepted, Rejected};
use crate::state::account;
use crate::{Applied, Cx};
use bongsu_base::RoomId;
use bongsu_lane::Refusal;
use rusqlite::OptionalExtension;
use serde_json::{Map, Value, json};

/// The type under which account data holds push rules.
const PUSH_RULES: &str = "m.push_rules";
/// The type under which account data holds a room's tags.
const TAGS: &str = "m.tag";

/// See [`crate::Command::SetPushRules`].
pub fn set_push_rules(cx: &mut Cx<'_>, json: &str, base: i64) -> Applied {
    let user = actor(cx)?;
    object(json)?;
    let changed: Option<i64> = cx
        .db()
        .prepare_cached(
            "SELECT changed FROM account_data WHERE user = ?1 AND room = 0 AND type = ?2",
        )?
        .query_row((user.as_str(), PUSH_RULES), |row| row.get(0))
        .optional()?;
    if changed.unwrap_or(0) != base {
        return Err(Refusal::Rejected(Rejected::Outdated));
    }
    let position = cx.position().as_i64();
    account::set_data(cx.db(), (user.as_str(), 0, PUSH_RULES), json, position)?;
    cx.wake(user_topic(user.as_str()));
    Ok(Accepted::Done)
}

/// See [`crate::Command::SetTag`]. Other tags stay as they are, whichever device set them.
pub fn set_tag(cx: &mut Cx<'_>, id: &RoomId, tag: &str, content: Option<&str>) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), id)?.n;
    let kept = account::data(cx.db(), user.as_str(), room, TAGS)?;
    let kept: Map<String, Value> = kept.as_deref().map(object).transpose()?.unwrap_or_default();
    let mut tags = match kept.get("tags") {
        Some(Value::Object(tags)) => tags.clone(),
        _ => Map::new(),
    };
    let before = tags.clone();
    match content {
        Some(content) => tags.insert(tag.to_owned(), Value::Object(object(content)?)),
        None => tags.remove(tag),
    };
    if tags != before {
        let json = json!({ "tags": tags }).to_string();
        let position = cx.position().as_i64();
        account::set_data(cx.db(), (user.as_str(), room, TAGS), &json, position)?;
        cx.wake(user_topic(user.as_str()));
    }
    Ok(Accepted::Done)
}

/// See [`crate::Command::AddOpenIdToken`]. Tokens that are over are forgotten here.
pub fn add_openid_token(cx: &mut Cx<'_>, hash: &str, lasts: i64) -> Applied {
    let user = actor(cx)?;
    let now = cx.time().0;
    cx.db()
        .prepare_cached("DELETE FROM openid_token WHERE expires <= ?1")?
        .execute([now])?;
    cx.db()
        .prepare_cached("INSERT INTO openid_token (hash, user, expires) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute((hash, user.as_str(), now.saturating_add(lasts)))?;
    Ok(Accepted::Done)
}
