//! Looking at rooms, blocking them, withholding their media, deleting them.

use super::{Api, room_id};
use crate::apply::MOST_MEDIA;
use crate::command::Act;
use crate::query::{self, Inspected};
use crate::state::rooms::Room as Found;
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A room.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Room {
    /// Its id.
    pub room_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_alias: Option<String>,
    /// Who made it.
    pub creator: String,
    /// Its version.
    pub version: String,
    /// How many are in it.
    pub joined_members: i64,
    /// How many are invited.
    pub invited_members: i64,
    /// Who may come in.
    pub join_rule: String,
    /// Whether it is in the directory.
    pub listed: bool,
    /// When something last happened in it, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_ms: Option<i64>,
    /// Whether nobody may enter.
    pub blocked: bool,
    /// Whether people are being moved out.
    pub closing: bool,
    /// Whether it is being deleted.
    pub purging: bool,
    /// How long its events are kept, in milliseconds; missing for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_ms: Option<i64>,
}

/// A room, with what is in it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoomDetail {
    /// The room.
    #[serde(flatten)]
    pub room: Room,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// How many events are kept of it.
    pub events: i64,
    /// Who is in it: up to a hundred.
    pub members: Vec<String>,
}

/// What was withheld.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Quarantined {
    /// How many media the room's events name.
    pub media: usize,
}

impl From<&Inspected> for Room {
    fn from(found: &Inspected) -> Self {
        Self {
            room_id: found.room.id.to_string(),
            name: found.name.clone(),
            canonical_alias: found.alias.clone(),
            creator: found.room.creator.clone(),
            version: found.room.version.clone(),
            joined_members: found.room.joined,
            invited_members: found.room.invited,
            join_rule: found.room.join_rule.clone(),
            listed: found.room.listed,
            last_event_ms: found.last.map(|at| at.0),
            blocked: found.blocked,
            closing: found.closing,
            purging: found.doomed,
            retention_ms: found.lifetime,
        }
    }
}

/// List rooms, in the order of their making.
#[utoipa::path(get, path = "/admin/v1/rooms", tag = "administration: rooms",
    params(PageQuery), responses((status = 200, body = Page<Room>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Room>>, Problem> {
    let limit = page.limit();
    let after = page.number()?.unwrap_or(0);
    let look = api
        .lane
        .read(|view| query::inspect_rooms(view.db(), after, limit + 1));
    let found = Page::of(look.await?, limit, |found| found.room.n.to_string());
    Ok(Json(Page {
        items: found.items.iter().map(Room::from).collect(),
        next: found.next,
    }))
}

/// Show a room.
#[utoipa::path(get, path = "/admin/v1/rooms/{room}", tag = "administration: rooms",
    params(("room" = String, Path)), responses((status = 200, body = RoomDetail), Refusals))]
pub async fn show(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<RoomDetail>, Problem> {
    let id = room_id(&id)?;
    let none = format!("there is no room {id} here");
    let look = api.lane.read_long(move |view| {
        let Some(room) = Found::by_id(view.db(), &id)? else {
            return Ok(None);
        };
        let found = query::inspect_room(view.db(), room.n)?;
        Ok(Some((found, query::room_contents(view.db(), room.n)?)))
    });
    let (found, contents) = look.await?.ok_or_else(|| Problem::not_found(none))?;
    Ok(Json(RoomDetail {
        room: (&found).into(),
        aliases: contents.aliases,
        events: contents.events,
        members: contents.members,
    }))
}

/// Keep everybody from entering a room, whether there is one or not.
#[utoipa::path(post, path = "/admin/v1/rooms/{room}/block", tag = "administration: rooms",
    params(("room" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn block(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::BlockRoom(room_id(&id)?);
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Let people enter a room again.
#[utoipa::path(post, path = "/admin/v1/rooms/{room}/unblock", tag = "administration: rooms",
    params(("room" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unblock(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::UnblockRoom(room_id(&id)?);
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Withhold all media that a room's events name, but for what is protected.
#[utoipa::path(post, path = "/admin/v1/rooms/{room}/quarantine", tag = "administration: rooms",
    params(("room" = String, Path)), request_body = Acting,
    responses((status = 200, body = Quarantined), Refusals))]
pub async fn quarantine(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Json<Quarantined>, Problem> {
    let id = room_id(&id)?;
    let reason = asked.kept_reason()?;
    let (room, server) = (id.clone(), api.config.server_name.to_string());
    let look = api.lane.read_long(move |view| {
        let found = Found::by_id(view.db(), &room)?;
        let media = found.map(|room| query::media_of_room(view.db(), room.n, &server));
        media.transpose()
    });
    let none = || Problem::not_found(format!("there is no room {id} here"));
    let media = look.await?.ok_or_else(none)?;
    for ids in media.chunks(MOST_MEDIA) {
        let act = Act::QuarantineMedia {
            ids: ids.to_vec(),
            quarantined: true,
            room: Some(id.clone()),
        };
        api.administer(&operator, reason.clone(), act).await?;
    }
    Ok(Json(Quarantined { media: media.len() }))
}

/// Delete a room that nobody is in, with everything in it. It goes in the background, and nobody enters
/// a room of this id again until it is unblocked.
#[utoipa::path(post, path = "/admin/v1/rooms/{room}/purge", tag = "administration: rooms",
    params(("room" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn purge(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let id = room_id(&id)?;
    let act = Act::PurgeRoom(id.clone());
    api.administer(&operator, asked.kept_reason()?, act).await?;
    api.sweep_room(&id).await?;
    Ok(Done {})
}
