//! `GET /sync`: what has happened, at once or as soon as something does.

use super::Api;
use super::filters::sync_filter;
use super::sync_body::body;
use super::token::Token;
use crate::apply::{room_topic, user_topic};
use crate::query::{self, SyncFilter, SyncFound, SyncWanted};
use axum::extract::State;
use bongsu_lane::Waiter;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::sync::sync_events::v3::{Filter, Request, Response};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that a client waits for news.
const LONGEST: Duration = Duration::from_secs(90);
/// How long a client that comes from another data centre waits until this one has caught up.
const CATCH_UP: Duration = Duration::from_secs(5);

pub async fn sync(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    let since = request
        .since
        .as_deref()
        .filter(|since| !since.is_empty())
        .map(Token::parse)
        .transpose()?;
    let filter = match &request.filter {
        None => SyncFilter::default(),
        Some(Filter::FilterDefinition(definition)) => sync_filter(definition),
        Some(Filter::FilterId(id)) => sync_filter(&api.filter(caller.user.as_str(), id).await?),
        Some(_) => {
            return Err(MatrixError::invalid_param(
                "`filter` is a filter's id or JSON",
            ));
        }
    };
    if let Some(since) = since {
        api.lane.reach(since.position.seq(), CATCH_UP).await?;
    }
    let wait = request.timeout.unwrap_or_default().min(LONGEST);
    let deadline = Instant::now() + wait;
    loop {
        let waiter = api.listen(&caller).await?;
        let typing = Token {
            typing: api.typing.last_change(),
            ..Token::at(0)
        }
        .typing;
        let found = api
            .look(&caller, since, request.full_state, &filter)
            .await?;
        let patient = since.is_some() && !request.full_state && Instant::now() < deadline;
        if found.is_empty() && patient && timeout_at(deadline, waiter.woken()).await.is_ok() {
            continue;
        }
        let next = Token {
            position: found.until,
            typing,
        };
        return Ok(Reply(body(&api, &caller, next, &found)?));
    }
}

impl Api {
    /// Listens to everything that may concern `caller`.
    pub(super) async fn listen(&self, caller: &Caller) -> Result<Waiter, MatrixError> {
        let user = caller.user.as_str();
        let rooms = self
            .lane
            .read(|view| query::joined_rooms(view.db(), user))
            .await?;
        let mut topics: Vec<_> = rooms.iter().map(|room| room_topic(room)).collect();
        topics.push(user_topic(user));
        Ok(self.lane.wake().listen(&topics))
    }

    pub(super) async fn look(
        &self,
        caller: &Caller,
        since: Option<Token>,
        full_state: bool,
        filter: &SyncFilter,
    ) -> Result<SyncFound, MatrixError> {
        let typing = self.typing.changed_since(since.map(|since| since.typing));
        let typing: Vec<String> = typing.iter().map(ToString::to_string).collect();
        let wanted = SyncWanted {
            user: caller.user.as_str(),
            since: since.map(|since| since.position),
            full_state,
            filter,
            typing: &typing,
        };
        Ok(self.lane.read(|view| query::sync(view, &wanted)).await?)
    }
}
