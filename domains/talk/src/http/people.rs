//! `POST /user_directory/search` and `GET /thirdparty/protocols`.

use super::Api;
use super::convert::theirs;
use crate::query;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::thirdparty::get_protocols;
use ruma::api::client::user_directory::search_users::v3::{Request, Response, User};
use std::collections::BTreeMap;

/// How many people one search finds, at most.
const MOST: usize = 50;

pub async fn search(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let limit = usize::try_from(u64::from(request.limit)).unwrap_or(MOST);
    let limit = limit.clamp(1, MOST);
    let found = api.lane.read(|view| {
        let user = caller.user.as_str();
        query::search_people(view.db(), user, &request.search_term, limit)
    });
    let (people, limited) = found.await?;
    let results = people.into_iter().map(|person| {
        let mut user = User::new(theirs(&person.user)?);
        user.display_name = person.displayname;
        user.avatar_url = person.avatar_url.map(Into::into);
        Ok(user)
    });
    let results = results.collect::<Result<_, MatrixError>>()?;
    Ok(Reply(Response::new(results, limited)))
}

/// There are no bridges to other networks here.
pub async fn protocols(
    _: Matrix<get_protocols::v3::Request>,
) -> Answer<get_protocols::v3::Response> {
    Ok(Reply(get_protocols::v3::Response::new(BTreeMap::new())))
}
