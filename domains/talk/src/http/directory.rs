//! The directory: `/publicRooms`, and which rooms are in it.

use super::Api;
use super::convert::{count, ours};
use super::describe::summary_of;
use super::plain::Plain;
use super::refuse::ruled;
use crate::apply;
use crate::command::Command;
use crate::query::{self, Direction, ListWanted, Listed, Mark};
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::directory::{
    get_public_rooms, get_public_rooms_filtered, get_room_visibility,
};
use ruma::api::client::room::Visibility;
use ruma::directory::{Filter, PublicRoomsChunk};
use ruma::{OwnedServerName, UInt, assign};
use serde_json::{Value, json};

/// How many rooms a page has, at most.
const MAX_LIMIT: usize = 500;

pub async fn list(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_public_rooms::v3::Request>,
) -> Answer<get_public_rooms::v3::Response> {
    let wanted = wanted(request.limit, request.since.as_deref(), &Filter::new())?;
    let (found, chunk) = api.page(request.server, &wanted).await?;
    Ok(Reply(assign!(get_public_rooms::v3::Response::new(chunk), {
        next_batch: found.next.map(|mark| token('n', mark)),
        prev_batch: found.before.map(|mark| token('p', mark)),
        total_room_count_estimate: Some(count(found.total)),
    })))
}

pub async fn search(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_public_rooms_filtered::v3::Request>,
) -> Answer<get_public_rooms_filtered::v3::Response> {
    let wanted = wanted(request.limit, request.since.as_deref(), &request.filter)?;
    let (found, chunk) = api.page(request.server, &wanted).await?;
    Ok(Reply(
        assign!(get_public_rooms_filtered::v3::Response::new(), {
            chunk: chunk,
            next_batch: found.next.map(|mark| token('n', mark)),
            prev_batch: found.before.map(|mark| token('p', mark)),
            total_room_count_estimate: Some(count(found.total)),
        }),
    ))
}

impl Api {
    async fn page(
        &self,
        server: Option<OwnedServerName>,
        wanted: &ListWanted,
    ) -> Result<(Listed, Vec<PublicRoomsChunk>), MatrixError> {
        if server.is_some_and(|server| server.as_str() != self.config.server_name.as_str()) {
            let message = "other servers are not asked here; leave `server` out";
            return Err(MatrixError::forbidden(message));
        }
        let found = self
            .lane
            .read(|view| query::list(view.db(), wanted))
            .await?;
        let chunk = found
            .rooms
            .iter()
            .map(|room| summary_of(room).map(Into::into))
            .collect::<Result<_, _>>()?;
        Ok((found, chunk))
    }
}

fn wanted(
    limit: Option<UInt>,
    since: Option<&str>,
    filter: &Filter,
) -> Result<ListWanted, MatrixError> {
    // No limit, as zero, is as many as a page has.
    let limit = limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(MAX_LIMIT));
    let limit = if limit == 0 { MAX_LIMIT } else { limit };
    let since = since.filter(|since| !since.is_empty());
    let term = filter.generic_search_term.as_deref().map(str::to_lowercase);
    let kinds = filter
        .room_types
        .iter()
        .map(|kind| kind.as_str().map(str::to_owned));
    Ok(ListWanted {
        from: since.map(parse).transpose()?,
        limit: limit.min(MAX_LIMIT),
        term: term.filter(|term| !term.is_empty()),
        kinds: kinds.collect(),
    })
}

/// A place in the directory as clients carry it: `n<joined>_<number>` for what comes after it, `p…` for
/// what comes before.
fn token(direction: char, (joined, n): Mark) -> String {
    format!("{direction}{joined}_{n}")
}

fn parse(text: &str) -> Result<(Direction, Mark), MatrixError> {
    let parsed = || {
        let (direction, rest) = match text.split_at_checked(1)? {
            ("n", rest) => (Direction::Forward, rest),
            ("p", rest) => (Direction::Backward, rest),
            _ => return None,
        };
        let (joined, n) = rest.split_once('_')?;
        Some((direction, (joined.parse().ok()?, n.parse().ok()?)))
    };
    parsed()
        .ok_or_else(|| MatrixError::invalid_param("`since` is not one that this server gave out"))
}

pub async fn listed(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<get_room_visibility::v3::Request>,
) -> Answer<get_room_visibility::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let room = api.lane.read(|view| Room::by_id(view.db(), &id)).await?;
    let room = room.ok_or_else(no_such_room)?;
    let visibility = if room.listed {
        Visibility::Public
    } else {
        Visibility::Private
    };
    Ok(Reply(get_room_visibility::v3::Response::new(visibility)))
}

/// `PUT /directory/list/room/{roomId}`: a body that does not say otherwise lists the room.
pub async fn set_listed(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let room: RoomId = plain
        .param("room_id")
        .parse()
        .map_err(|_| MatrixError::invalid_param("the path holds no room id"))?;
    let listed = match plain.object_or_nothing()?.get("visibility") {
        None => true,
        Some(Value::String(word)) if word == "public" => true,
        Some(Value::String(word)) if word == "private" => false,
        Some(_) => {
            return Err(MatrixError::invalid_param(
                "`visibility` is public or private",
            ));
        }
    };
    let caller = &plain.caller;
    let look = api.lane.read(|view| {
        let found = Room::by_id(view.db(), &room)?;
        let user = caller.user.as_str();
        let may = found.map(|found| apply::may_list(view.db(), &found, user));
        Ok(may.transpose())
    });
    ruled(look.await)?.ok_or_else(no_such_room)?;
    let command = Command::SetListed { room, listed };
    api.submit(caller, Priority::Normal, None, command).await?;
    Ok(Json(json!({})))
}

/// The refusal for a room that does not exist, where that is no secret.
pub fn no_such_room() -> MatrixError {
    MatrixError::not_found("there is no such room here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_foreign_ones_are_refused() {
        let (direction, mark) = parse(&token('n', (3, 77))).expect("our own");
        assert_eq!((direction, mark), (Direction::Forward, (3, 77)));
        let (direction, mark) = parse(&token('p', (0, 1))).expect("our own");
        assert_eq!((direction, mark), (Direction::Backward, (0, 1)));
        for foreign in ["", "n", "n1", "x1_2", "n1_", "n_1", "n1_x", "ä1_2"] {
            assert!(parse(foreign).is_err(), "{foreign}");
        }
    }
}
