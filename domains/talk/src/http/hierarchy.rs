//! `GET /rooms/{roomId}/hierarchy`: a space and what is in it.

use super::Api;
use super::convert::ours;
use super::describe::summary_of;
use super::json::child;
use super::members::not_in_room;
use super::plain::need_some;
use crate::query::{self, Branch, Hierarchy};
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::space::SpaceHierarchyRoomsChunk;
use ruma::api::client::space::get_hierarchy::v1::{Request, Response};
use ruma::assign;

/// How many rooms a page has, at most.
const MAX_LIMIT: usize = 50;

pub async fn hierarchy(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let id: RoomId = ours(&request.room_id)?;
    let max_depth = request.max_depth.map(u64::from);
    let skip = match &request.from {
        Some(from) => parse(from, request.suggested_only, max_depth)?,
        None => 0,
    };
    need_some(request.limit)?;
    let limit = request
        .limit
        .map_or(MAX_LIMIT, |limit| {
            usize::try_from(limit).unwrap_or(MAX_LIMIT)
        })
        .min(MAX_LIMIT);
    let wanted = Hierarchy {
        user: caller.user.as_str(),
        suggested_only: request.suggested_only,
        max_depth,
        skip,
        limit,
    };
    let found = api.lane.read(|view| match Room::by_id(view.db(), &id)? {
        Some(room) => query::hierarchy(view.db(), room, &wanted),
        None => Ok(None),
    });
    let (branches, more) = found.await?.ok_or_else(not_in_room)?;
    let next = skip + branches.len();
    Ok(Reply(assign!(Response::new(), {
        next_batch: more.then(|| token(next, request.suggested_only, max_depth)),
        rooms: branches.iter().map(chunk).collect::<Result<_, _>>()?,
    })))
}

fn chunk(branch: &Branch) -> Result<SpaceHierarchyRoomsChunk, MatrixError> {
    let children = branch
        .children
        .iter()
        .map(child)
        .collect::<Result<_, _>>()?;
    Ok(SpaceHierarchyRoomsChunk::new(
        summary_of(&branch.room)?,
        children,
    ))
}

/// How far a client has read, with what it asked for: `h<rooms>_<suggested only>_<depth>`.
fn token(passed: usize, suggested_only: bool, max_depth: Option<u64>) -> String {
    let depth = max_depth.map_or_else(|| "-".to_owned(), |depth| depth.to_string());
    format!("h{passed}_{}_{depth}", u8::from(suggested_only))
}

fn parse(text: &str, suggested_only: bool, max_depth: Option<u64>) -> Result<usize, MatrixError> {
    let passed = text
        .strip_prefix('h')
        .and_then(|rest| rest.split_once('_'))
        .and_then(|(passed, _)| passed.parse().ok());
    match passed {
        Some(passed) if token(passed, suggested_only, max_depth) == text => Ok(passed),
        _ => Err(MatrixError::invalid_param(
            "`from` is not one that this server gave out for `max_depth` and `suggested_only`",
        )),
    }
}
