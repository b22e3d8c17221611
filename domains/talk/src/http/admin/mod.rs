//! Administering rooms, media and reports over HTTP, under `/admin/v1/`. Whoever serves these routes puts
//! a gate before them.

#![expect(
    unused_qualifications,
    reason = "the macro that describes the routes writes them"
)]

mod audit;
mod media;
mod reports;
mod rooms;
mod shut_down;

use super::Api;
use crate::command::{Act, Administer, Command};
use crate::outcome::Rejected;
use bongsu_base::{IdError, RoomId, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::admin::{Operator, Problem, Routes};
use utoipa::OpenApi;

/// The routes.
#[must_use]
pub fn routes() -> Routes<Api> {
    Routes::default()
        .get("/admin/v1/rooms", rooms::list)
        .get("/admin/v1/rooms/{room}", rooms::show)
        .post("/admin/v1/rooms/{room}/block", rooms::block)
        .post("/admin/v1/rooms/{room}/unblock", rooms::unblock)
        .post("/admin/v1/rooms/{room}/quarantine", rooms::quarantine)
        .post("/admin/v1/rooms/{room}/shutdown", shut_down::shut_down)
        .post("/admin/v1/rooms/{room}/purge", rooms::purge)
        .get("/admin/v1/media", media::list)
        .get("/admin/v1/media/{media}", media::show)
        .post("/admin/v1/media/{media}/quarantine", media::quarantine)
        .post("/admin/v1/media/{media}/unquarantine", media::unquarantine)
        .post("/admin/v1/media/{media}/protect", media::protect)
        .post("/admin/v1/media/{media}/unprotect", media::unprotect)
        .post("/admin/v1/media/{media}/delete", media::delete)
        .post("/admin/v1/users/{user}/delete-media", media::delete_of_user)
        .get("/admin/v1/reports", reports::list)
        .post("/admin/v1/reports/{report}/resolve", reports::resolve)
        .get("/admin/v1/audit/talk", audit::page)
        .get("/admin/v1/audit/talk/check", audit::check)
}

/// What the routes are, for OpenAPI.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    rooms::list,
    rooms::show,
    rooms::block,
    rooms::unblock,
    rooms::quarantine,
    shut_down::shut_down,
    rooms::purge,
    media::list,
    media::show,
    media::quarantine,
    media::unquarantine,
    media::protect,
    media::unprotect,
    media::delete,
    media::delete_of_user,
    reports::list,
    reports::resolve,
    audit::page,
    audit::check
))]
struct Description;

impl Api {
    /// Does what an operator asks for.
    async fn administer(
        &self,
        operator: &Operator,
        reason: Option<String>,
        act: Act,
    ) -> Result<(), Problem> {
        let by = operator.by.clone();
        let command = Command::Administer(Administer { by, reason, act });
        self.operate(operator.actor(), command).await
    }

    /// Has a command of the operator's carried out.
    async fn operate(&self, actor: Actor, command: Command) -> Result<(), Problem> {
        let request = self.lane.request(actor, Priority::Vital, command);
        let decision = self.lane.submit(request).await?;
        decision.outcome.map(drop).map_err(|why| refused(&why))
    }
}

fn refused(why: &Rejected) -> Problem {
    let detail = why.to_string();
    match why {
        Rejected::NoSuchRoom | Rejected::NoSuchMedia | Rejected::NoSuchReport => {
            Problem::not_found(detail)
        }
        Rejected::BadContent(_) => Problem::bad_request(detail),
        _ => Problem::conflict(detail),
    }
}

fn room_id(text: &str) -> Result<RoomId, Problem> {
    text.parse()
        .map_err(|error: IdError| Problem::bad_request(error.to_string()))
}

/// The media that is meant by `name`, its id or its `mxc://` URI (Matrix v1.19, Client-Server API, "Content repository").
fn media_id(api: &Api, name: String) -> Result<String, Problem> {
    let Some(uri) = name.strip_prefix("mxc://") else {
        return Ok(name);
    };
    let own = &api.config.server_name;
    match uri.split_once('/') {
        Some((server, id)) if server == own.as_str() => Ok(id.to_owned()),
        Some((server, _)) => Err(Problem::not_found(format!(
            "media of `{server}` is not kept here; this is `{own}`"
        ))),
        None => Err(Problem::bad_request(format!(
            "`{name}` is no URI of media: expected mxc://{own}/ID"
        ))),
    }
}

/// The person that is meant by `name`, a user id or its localpart.
fn user_id(api: &Api, name: &str) -> Result<UserId, Problem> {
    let id = if name.starts_with('@') {
        name.parse()
    } else {
        UserId::new(name, &api.config.server_name)
    };
    id.map_err(|error: IdError| Problem::bad_request(error.to_string()))
}
