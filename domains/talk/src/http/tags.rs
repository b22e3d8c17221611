//! Tags of rooms: `/user/{userId}/rooms/{roomId}/tags`.

use super::Api;
use super::convert::ours;
use super::plain::Plain;
use crate::command::Command;
use crate::state::account;
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::MatrixError;
use serde_json::{Value, json};

/// The longest tag, in bytes (Matrix v1.19, room tagging).
const MAX_TAG: usize = 255;

fn place(plain: &Plain) -> Result<RoomId, MatrixError> {
    if plain.param("user_id") != plain.caller.user.as_str() {
        return Err(MatrixError::forbidden("tags are their owner's alone"));
    }
    ours(plain.param("room_id"))
}

pub async fn get(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let id = place(&plain)?;
    let found = api.lane.read(|view| {
        let Some(room) = Room::by_id(view.db(), &id)? else {
            return Ok(None);
        };
        account::data(view.db(), plain.caller.user.as_str(), room.n, "m.tag")
    });
    let content: Value = match found.await? {
        Some(content) => serde_json::from_str(&content).map_err(MatrixError::internal)?,
        None => Value::Null,
    };
    let tags = content.get("tags").filter(|tags| tags.is_object());
    Ok(Json(
        json!({ "tags": tags.cloned().unwrap_or_else(|| json!({})) }),
    ))
}

async fn change(
    api: &Api,
    plain: &Plain,
    content: Option<String>,
) -> Result<Json<Value>, MatrixError> {
    let room = place(plain)?;
    api.need_room(&room).await?;
    let tag = plain.param("tag").to_owned();
    let command = Command::SetTag { room, tag, content };
    api.submit(&plain.caller, Priority::Normal, None, command)
        .await?;
    Ok(Json(json!({})))
}

pub async fn put(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let tag = plain.param("tag");
    if tag.is_empty() || tag.len() > MAX_TAG {
        return Err(MatrixError::invalid_param("a tag has up to 255 bytes"));
    }
    let content = plain.object()?;
    if content.get("order").is_some_and(|order| !order.is_number()) {
        return Err(MatrixError::bad_json("`order` is a number"));
    }
    change(&api, &plain, Some(Value::Object(content).to_string())).await
}

pub async fn delete(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    change(&api, &plain, None).await
}
