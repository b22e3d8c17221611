//! `GET /mutual_rooms`: the rooms that the caller shares with somebody.

use super::Api;
use super::convert::{count, ours, theirs};
use crate::query;
use axum::extract::State;
use bongsu_base::UserId;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::membership::get_mutual_rooms::v1::{Request, Response};

/// How many rooms are told at once.
const PAGE: usize = 100;

pub async fn mutual_rooms(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let other: UserId = ours(&request.user_id)?;
    if other == caller.user {
        return Err(MatrixError::invalid_param(
            "`user_id` is yourself: /joined_rooms tells your own rooms",
        ));
    }
    let after = match request.from.as_deref() {
        None => 0,
        Some(from) => from
            .parse()
            .map_err(|_| MatrixError::invalid_param("`from` is not one of this server's"))?,
    };
    let both = (caller.user.as_str(), other.as_str());
    let look = api
        .lane
        .read(|view| query::mutual_rooms(view.db(), both, after, PAGE + 1));
    let (all, mut rooms) = look.await?;
    let more = rooms.len() > PAGE;
    rooms.truncate(PAGE);
    let next = rooms.last().filter(|_| more).map(|(n, _)| n.to_string());
    let joined = rooms.iter().map(|(_, id)| theirs(id));
    let joined = joined.collect::<Result<_, MatrixError>>()?;
    let mut response = Response::new(count(all), joined);
    response.next_batch = next;
    Ok(Reply(response))
}
