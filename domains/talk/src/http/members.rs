//! Who is in which room.

use super::Api;
use super::convert::{ours, theirs};
use super::json::event;
use crate::query::{self, Part};
use crate::state::members::member;
use crate::state::rooms::{Room, Visibility};
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::membership::joined_members::v3::RoomMember;
use ruma::api::client::membership::{get_member_events, joined_members, joined_rooms};
use std::collections::BTreeMap;

pub async fn joined_rooms(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<joined_rooms::v3::Request>,
) -> Answer<joined_rooms::v3::Response> {
    let rooms = api
        .lane
        .read(|view| query::joined_rooms(view.db(), caller.user.as_str()))
        .await?;
    let rooms = rooms
        .iter()
        .map(|(_, room)| theirs(room))
        .collect::<Result<_, _>>()?;
    Ok(Reply(joined_rooms::v3::Response::new(rooms)))
}

/// The room `id`, and up to where `caller` may know it: now, or when they left. Who is banned may not.
pub fn known_room(
    view: &ReadView<'_>,
    id: &RoomId,
    caller: &Caller,
) -> rusqlite::Result<Option<(Room, i64)>> {
    let Some(room) = Room::by_id(view.db(), id)? else {
        return Ok(None);
    };
    let member = member(view.db(), room.n, caller.user.as_str())?;
    Ok(match member {
        Some(member) if member.membership == "join" => Some((room, i64::MAX)),
        Some(member) if member.membership == "leave" && !member.forgotten => {
            let was_in = query::Visible::of(view.db(), room.n, caller.user.as_str())?.ever_joined();
            was_in.then_some((room, member.position.as_i64()))
        }
        _ => None,
    })
}

/// The room `id`, and up to where `caller` may read it: as [`known_room`] says, or now if the whole world may.
pub fn readable_room(
    view: &ReadView<'_>,
    id: &RoomId,
    caller: &Caller,
) -> rusqlite::Result<Option<(Room, i64)>> {
    if let Some(known) = known_room(view, id, caller)? {
        return Ok(Some(known));
    }
    let open = |room: &Room| room.visibility == Visibility::WorldReadable;
    let room = Room::by_id(view.db(), id)?.filter(open);
    Ok(room.map(|room| (room, i64::MAX)))
}

/// The refusal for a room that one is not and was not in.
pub fn not_in_room() -> MatrixError {
    MatrixError::forbidden("you are not in this room, or there is no such room")
}

pub async fn members(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_member_events::v3::Request>,
) -> Answer<get_member_events::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let at = api.place_if_any(request.at.as_deref()).await?;
    let at = at.map_or(i64::MAX, |token| token.position.as_i64());
    let found = api.lane.read(|view| {
        let Some((room, until)) = readable_room(view, &id, &caller)? else {
            return Ok(None);
        };
        let events = query::state_at(view.db(), &room, at.min(until), Part::Members)?;
        events
            .into_iter()
            .map(|event| query::show(view.db(), event))
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    });
    let shown = found.await?.ok_or_else(not_in_room)?;
    let wanted = |shown: &&query::Shown| {
        let content: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&shown.event.content).unwrap_or_default();
        let membership = content
            .get("membership")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let is = |state: &ruma::events::room::member::MembershipState| state.as_str() == membership;
        request.membership.as_ref().is_none_or(is)
            && !request.not_membership.as_ref().is_some_and(is)
    };
    let (room_id, seer) = (Some(id.as_str()), api.seer(&caller));
    let chunk = shown
        .iter()
        .filter(wanted)
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    Ok(Reply(get_member_events::v3::Response::new(chunk)))
}

pub async fn joined_members(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<joined_members::v3::Request>,
) -> Answer<joined_members::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let found = api.lane.read(|view| {
        let Some((room, i64::MAX)) = known_room(view, &id, &caller)? else {
            return Ok(None);
        };
        let mut statement = view.db().prepare_cached(
            "SELECT user, displayname, avatar_url FROM member
             WHERE room = ?1 AND membership = 'join' ORDER BY user",
        )?;
        let rows =
            statement.query_map([room.n], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<Result<Vec<(String, Option<String>, Option<String>)>, _>>()
            .map(Some)
    });
    let mut joined = BTreeMap::new();
    for (user, display_name, avatar_url) in found.await?.ok_or_else(not_in_room)? {
        let mut member = RoomMember::new();
        member.display_name = display_name;
        member.avatar_url = avatar_url.map(Into::into);
        joined.insert(theirs(&user)?, member);
    }
    Ok(Reply(joined_members::v3::Response::new(joined)))
}
