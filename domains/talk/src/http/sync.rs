//! `GET /sync`: what has happened, at once or as soon as something does.

use super::Api;
use super::filters::sync_filter;
use super::plain::{not_json, query_value};
use super::sync_body::body;
use super::token::Token;
use crate::apply::{room_topic, user_topic};
use crate::query::{self, SyncFilter, SyncFound, SyncWanted};
use axum::extract::{FromRequestParts, State};
use bongsu_lane::Waiter;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use http::request::Parts;
use ruma::api::client::filter::FilterDefinition;
use ruma::api::client::sync::sync_events::v3::{Filter, Request, Response};
use ruma::serde::Raw;
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that a client waits for news.
const LONGEST: Duration = Duration::from_secs(90);
/// How long a client that comes from another data centre waits until this one has caught up.
const CATCH_UP: Duration = Duration::from_secs(5);

pub async fn sync(
    State(api): State<Api>,
    _: GoodFilter,
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
        Some(Filter::FilterId(id)) => {
            let filter = api.filter(caller.user.as_str(), id).await;
            sync_filter(&filter.map_err(unknown_filter)?)
        }
        Some(_) => {
            return Err(MatrixError::invalid_param(
                "`filter` is a filter's id or JSON",
            ));
        }
    };
    if let Some(since) = since {
        api.lane.reach(since.position.seq(), CATCH_UP).await?;
    }
    let syncing = api
        .sync_presence(&caller, request.set_presence.as_str())
        .await?;
    let wait = request.timeout.unwrap_or_default().min(LONGEST);
    let deadline = Instant::now() + wait;
    loop {
        let waiter = api.listen(&caller).await?;
        let typing = api.typing.last_change();
        let presence = api.presence.last_change();
        let found = api.look(&caller, since, &request, &filter).await?;
        let people = api
            .presence_news(&caller, since.map(|since| since.presence), &found, &filter)
            .await?;
        let patient = since.is_some() && !request.full_state && Instant::now() < deadline;
        let nothing = found.is_empty() && people.is_empty();
        if nothing && patient && timeout_at(deadline, waiter.woken()).await.is_ok() {
            continue;
        }
        let next = Token {
            position: found.until,
            typing,
            presence,
        };
        drop(syncing);
        let mut response = body(&api, &caller, next, &found, request.use_state_after)?;
        response.presence.events = people
            .iter()
            .map(|event| to_raw_value(event).map(Raw::from_json))
            .collect::<Result<_, _>>()
            .map_err(MatrixError::internal)?;
        return Ok(Reply(response));
    }
}

/// That a filter in the query, if it is JSON, is one.
pub struct GoodFilter;

impl FromRequestParts<Api> for GoodFilter {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, MatrixError> {
        let query = parts.uri.query().unwrap_or_default();
        let filter = query_value(query, "filter");
        if let Some(filter) = filter.filter(|filter| filter.trim_start().starts_with('{')) {
            let value: Value = serde_json::from_str(&filter).map_err(|error| not_json(&error))?;
            serde_json::from_value::<FilterDefinition>(value)
                .map_err(|error| MatrixError::bad_json(error.to_string()))?;
        }
        Ok(Self)
    }
}

/// To a sync, a filter that is not there is a mistake in its query.
fn unknown_filter(error: MatrixError) -> MatrixError {
    match error {
        MatrixError::Standard {
            status: StatusCode::NOT_FOUND,
            message,
            ..
        } => MatrixError::invalid_param(message),
        other => other,
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
        request: &Request,
        filter: &SyncFilter,
    ) -> Result<SyncFound, MatrixError> {
        let typing = self.typing.changed_since(since.map(|since| since.typing));
        let typing: Vec<String> = typing.iter().map(ToString::to_string).collect();
        let wanted = SyncWanted {
            user: caller.user.as_str(),
            since: since.map(|since| since.position),
            full_state: request.full_state,
            filter,
            typing: &typing,
            state_after: request.use_state_after,
            counts: &self.counts,
        };
        Ok(self.lane.read(|view| query::sync(view, &wanted)).await?)
    }
}
