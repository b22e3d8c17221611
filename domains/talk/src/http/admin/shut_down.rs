//! Shutting a room down.

use super::{Api, Command, room_id, user_id};
use crate::command::{Act, Replacement, ShutDownRoom};
use crate::http::discovery::DEFAULT_VERSION;
use crate::state::closing;
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::{Path, State};
use bongsu_base::RoomId;
use bongsu_lane::Actor;
use bongsu_web_kit::admin::{Body, Operator, Problem, Reason, Refusals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who speaks where no administrator does. Nobody can sign up under a name with a capital letter.
const SPEAKER: &str = "Operator";
/// What is said where nobody says why.
const NOTICE: &str = "This room was closed by the operator of this server.";
/// How many people are moved out by one record.
const AT_ONCE: u32 = 100;

/// How a room is shut down.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// Why, for the people in the room to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Whether a new room is made, to which everybody is invited.
    pub replace: bool,
    /// The new room's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why, for the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A room that was shut down.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShutDown {
    /// The new room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

impl Reason for Shutdown {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

/// Shut a room down: nobody enters it any more, a message says why, everybody is moved out and, if that
/// is asked for, invited to a new room.
#[utoipa::path(post, path = "/admin/v1/rooms/{room}/shutdown", tag = "administration: rooms",
    params(("room" = String, Path)), request_body = Shutdown,
    responses((status = 200, body = ShutDown), Refusals))]
pub async fn shut_down(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Shutdown>,
) -> Result<Json<ShutDown>, Problem> {
    let room = room_id(&id)?;
    let reason = asked.kept_reason()?;
    let speaker = match &operator.by {
        Some(by) => by.clone(),
        None => user_id(&api, SPEAKER)?,
    };
    let replacement = if asked.replace {
        let id = api
            .room_id(DEFAULT_VERSION)
            .map_err(|_| Problem::internal("an id for a new room could not be made"))?;
        Some(Replacement {
            room: id,
            version: DEFAULT_VERSION.to_owned(),
            name: asked.name,
        })
    } else {
        None
    };
    let new = replacement.as_ref().map(|new| new.room.to_string());
    let act = Act::ShutDownRoom(ShutDownRoom {
        room: room.clone(),
        speaker,
        notice: asked.notice.unwrap_or_else(|| NOTICE.to_owned()),
        replacement,
    });
    api.administer(&operator, reason, act).await?;
    api.sweep_room(&room).await?;
    Ok(Json(ShutDown { replacement: new }))
}

impl Api {
    /// Goes on with a room that is being shut down or deleted until that is done.
    ///
    /// # Errors
    /// When the lane or the view fails. Whoever holds the lease goes on with it then.
    pub async fn sweep_room(&self, id: &RoomId) -> Result<(), Problem> {
        loop {
            let look = self.lane.read(|view| {
                let Some(room) = Room::by_id(view.db(), id)? else {
                    return Ok(false);
                };
                let closing = closing::closing(view.db(), room.n)?.is_some();
                Ok(closing || closing::doomed(view.db(), room.n)?)
            });
            if !look.await? {
                return Ok(());
            }
            let (room, most) = (id.clone(), AT_ONCE);
            let command = Command::SweepRoom { room, most };
            self.operate(Actor::Operator, command).await?;
        }
    }
}
