//! Whether something that was asked under a key happened.

use super::Api;
use super::ask::{Said, Who};
use super::gate::{Anyone, Named, is_key};
use super::problem::{Problem, ProblemBody, Refusals};
use super::wire::AnswerBody;
use crate::answer::Kept;
use crate::query;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long this data centre may take to hear of everything that was answered elsewhere.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a request.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RequestBody {
    /// It was done.
    Done {
        /// What it was answered.
        answer: AnswerBody,
    },
    /// It was refused, for good.
    Refused {
        /// Why.
        problem: ProblemBody,
    },
    /// Nothing of it was heard; it may be on its way.
    NotYet,
    /// It did not happen and never will.
    Never,
}

impl RequestBody {
    async fn of(api: &Api, (name, key): (&str, &str), kept: &Kept) -> Result<Self, Problem> {
        Ok(match kept {
            Kept::Done(answer) => Self::Done {
                answer: api.shown(name, key, answer).await?,
            },
            Kept::Refused(refused) => Self::Refused {
                problem: Problem::from(*refused).body(),
            },
            Kept::Never => Self::Never,
        })
    }
}

fn checked(key: &str) -> Result<(), Problem> {
    let detail = "an Idempotency-Key has 1 to 255 visible ASCII characters";
    let sound = is_key(key).then_some(());
    sound.ok_or_else(|| Problem::bad("idempotency-key-invalid", detail))
}

/// Whether a request of yours happened.
#[utoipa::path(get, path = "/pay/v1/requests/{key}", tag = "pay: requests", security(("person" = []), ("merchant" = [])),
    params(("key" = String, Path, description = "Its Idempotency-Key", pattern = "^[!-~]{1,255}$")),
    responses((status = 200, body = RequestBody), Refusals))]
pub async fn look(State(api): State<Api>, anyone: Anyone, Named(key): Named) -> Said<RequestBody> {
    checked(&key)?;
    let name = Who::from(anyone).name;
    let look = || api.lane.read(|view| query::answer(view, &name, &key));
    let mut kept = look().await?;
    if kept.is_none() {
        // It may have been answered elsewhere.
        api.lane.catch_up(PATIENCE).await?;
        kept = look().await?;
    }
    match kept {
        Some((_, kept)) => RequestBody::of(&api, (&name, &key), &kept).await.map(Json),
        None => Ok(Json(RequestBody::NotYet)),
    }
}

/// See to it that a request that was not heard of never happens; says what became of it otherwise.
#[utoipa::path(post, path = "/pay/v1/requests/{key}/close", tag = "pay: requests",
    security(("person" = []), ("merchant" = [])),
    params(("key" = String, Path, description = "Its Idempotency-Key", pattern = "^[!-~]{1,255}$")),
    responses((status = 200, body = RequestBody), Refusals))]
pub async fn close(State(api): State<Api>, anyone: Anyone, Named(key): Named) -> Said<RequestBody> {
    checked(&key)?;
    let who = Who::from(anyone);
    let name = who.name.clone();
    let kept = api.close_key(who, key.clone()).await?;
    RequestBody::of(&api, (&name, &key), &kept).await.map(Json)
}
