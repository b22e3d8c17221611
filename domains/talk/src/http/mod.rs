//! Matrix's client-server API, as far as it is about rooms and messages: one file an endpoint, or a few
//! that are one verb in several forms. Wire types live here and nowhere else.

mod account_data;
pub mod admin;
mod aliases;
mod allowed;
mod context;
mod convert;
mod create_room;
mod discovery;
mod event;
mod event_fields;
mod events;
mod far;
mod filters;
mod initial_sync;
mod json;
mod listening;
mod media;
mod members;
mod members_told;
mod membership;
mod messages;
mod mutual_rooms;
mod receipts;
mod redact;
mod refuse;
mod relations;
mod reports;
mod send;
mod sending;
mod state;
mod sync;
mod sync_body;
mod token;
mod typing;
mod typing_now;

mod describe;
mod directory;
mod hierarchy;
mod knock;
mod summary;
mod sweeper;
mod upgrade;

pub use allowed::Allowed;
pub use far::Far;
pub use listening::Listeners;
pub use media::{Gallery, MediaRules, Previews};
pub use members_told::MembersTold;
pub use sending::Sending;
pub use typing_now::TypingNow;

mod notifications;
mod openid;
mod people;
mod plain;
mod presence;
mod presence_now;
mod push_rules;
mod tags;
mod turn;

pub use crate::query::Counts;
pub use crate::state::retention::Policy as RetentionPolicy;
pub use bongsu_web_kit::Clock;
pub use discovery::Support;
pub use presence_now::PresenceNow;
pub use sweeper::Swept;
pub use turn::Turn;

use crate::Talk;
use bongsu_base::ServerName;
use bongsu_lane::Lane;
use bongsu_media::Media;
use bongsu_web_kit::matrix::{Endpoints, Gate, Operation};
use bongsu_web_kit::{Authenticate, People};
use http::Method;
use ruma::api::client as api;
use std::ops::Deref;
use std::sync::Arc;

/// Talk's endpoints. Cloning it, as each request does, gives another handle to the same parts.
#[derive(Clone)]
pub struct Api(Arc<Parts>);

impl Api {
    /// Endpoints that work with `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What talk's endpoints work with.
pub struct Parts {
    /// The lane.
    pub lane: Lane<Talk>,
    /// Who tells to whom a token belongs.
    pub authenticator: Arc<dyn Authenticate>,
    /// Who knows people's profiles.
    pub people: Arc<dyn People>,
    /// Where uploads are.
    pub media: Media,
    /// Who is typing where.
    pub typing: TypingNow,
    /// What devices have sent and not had an answer to.
    pub sending: Sending,
    /// The way to the other data centres, for what need not last.
    pub far: Far,
    /// What media's endpoints share.
    pub gallery: Gallery,
    /// What fetches pages that people link to, if the operator turned that on.
    pub previews: Option<Previews>,
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Who is there.
    pub presence: PresenceNow,
    /// What was counted as unread.
    pub counts: Counts,
    /// What devices listen to between two polls.
    pub listeners: Listeners,
    /// Who may send what where.
    pub allowed: Allowed,
    /// Of whom devices were told.
    pub members_told: MembersTold,
    /// What time it is.
    pub clock: Clock,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name in user ids and aliases.
    pub server_name: ServerName,
    /// Where clients reach this installation; ends without a slash.
    pub base_url: String,
    /// The longest upload, in bytes.
    pub max_upload_bytes: u64,
    /// What else is decided about media.
    pub media: MediaRules,
    /// Whether people are told who is there.
    pub presence: bool,
    /// The relay for calls, if there is one.
    pub turn: Option<Turn>,
    /// Where people find help.
    pub support: Support,
}

impl Gate for Api {
    fn authenticator(&self) -> &Arc<dyn Authenticate> {
        &self.authenticator
    }
}

/// The router of talk's endpoints, and what it serves.
pub fn endpoints(state: Api) -> (axum::Router, Vec<Operation>) {
    all().into_router(state)
}

/// What is served.
#[must_use]
pub fn operations() -> Vec<Operation> {
    all().operations().to_vec()
}

fn all() -> Endpoints<Api> {
    let all = media_endpoints(account_endpoints(room_endpoints(Endpoints::default())));
    let all = entrance_endpoints(all);
    let all = event_endpoints(all);
    let all = own_endpoints(push_endpoints(all));
    all.serve::<api::discovery::get_supported_versions::Request, _, _>(discovery::versions)
        .serve::<api::discovery::discover_homeserver::Request, _, _>(discovery::well_known)
        .serve::<api::discovery::discover_support::Request, _, _>(discovery::support)
        .serve::<api::discovery::get_capabilities::v3::Request, _, _>(discovery::capabilities)
        .serve::<api::sync::sync_events::v3::Request, _, _>(sync::sync)
}

fn room_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    let keyless = [
        "/_matrix/client/v3/rooms/{room_id}/state/{event_type}",
        "/_matrix/client/r0/rooms/{room_id}/state/{event_type}",
        "/_matrix/client/v3/rooms/{room_id}/state/{event_type}/",
        "/_matrix/client/r0/rooms/{room_id}/state/{event_type}/",
    ];
    let endpoints = keyless.into_iter().fold(endpoints, |endpoints, path| {
        endpoints
            .serve_at(&Method::GET, path, state::get_one)
            .serve_at(&Method::PUT, path, state::set)
    });
    let endpoints = first_forms(endpoints);
    endpoints
        .serve::<api::room::create_room::v3::Request, _, _>(create_room::create)
        .serve::<api::room::get_room_event::v3::Request, _, _>(event::get)
        .serve::<api::membership::joined_rooms::v3::Request, _, _>(members::joined_rooms)
        .serve::<api::membership::get_mutual_rooms::v1::Request, _, _>(mutual_rooms::mutual_rooms)
        .serve::<api::membership::join_room_by_id::v3::Request, _, _>(membership::join)
        .serve::<api::membership::join_room_by_id_or_alias::v3::Request, _, _>(
            membership::join_by_alias,
        )
        .serve::<api::membership::invite_user::v3::Request, _, _>(membership::invite)
        .serve::<api::membership::leave_room::v3::Request, _, _>(membership::leave)
        .serve::<api::membership::kick_user::v3::Request, _, _>(membership::kick)
        .serve::<api::membership::ban_user::v3::Request, _, _>(membership::ban)
        .serve::<api::membership::unban_user::v3::Request, _, _>(membership::unban)
        .serve::<api::membership::forget_room::v3::Request, _, _>(membership::forget)
        .serve::<api::membership::get_member_events::v3::Request, _, _>(members::members)
        .serve::<api::membership::joined_members::v3::Request, _, _>(members::joined_members)
        .serve::<api::state::get_state_events::v3::Request, _, _>(state::get_all)
        .serve::<api::state::get_state_event_for_key::v3::Request, _, _>(state::get_one)
        .serve::<api::state::send_state_event::v3::Request, _, _>(state::set)
        .serve::<api::message::send_message_event::v3::Request, _, _>(send::send)
        .serve::<api::message::get_message_events::v3::Request, _, _>(messages::messages)
        .serve::<api::redact::redact_event::v3::Request, _, _>(redact::redact)
        .serve::<api::receipt::create_receipt::v3::Request, _, _>(receipts::receipt)
        .serve::<api::read_marker::set_read_marker::v3::Request, _, _>(receipts::markers)
        .serve::<typing::Told, _, _>(typing::typing)
        .serve::<api::alias::create_alias::v3::Request, _, _>(aliases::create)
        .serve::<api::alias::delete_alias::v3::Request, _, _>(aliases::delete)
        .serve::<api::alias::get_alias::v3::Request, _, _>(aliases::get)
        .serve::<api::room::aliases::v3::Request, _, _>(aliases::of_room)
}

/// How the first versions sent and redacted: without a transaction id.
fn first_forms(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve_at(
            &Method::POST,
            "/_matrix/client/v3/rooms/{room_id}/send/{event_type}",
            send::send_once,
        )
        .serve_at(
            &Method::POST,
            "/_matrix/client/r0/rooms/{room_id}/send/{event_type}",
            send::send_once,
        )
        .serve_at(
            &Method::POST,
            "/_matrix/client/v3/rooms/{room_id}/redact/{event_id}",
            redact::redact_once,
        )
        .serve_at(
            &Method::POST,
            "/_matrix/client/r0/rooms/{room_id}/redact/{event_id}",
            redact::redact_once,
        )
}

fn account_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<api::config::get_global_account_data::v3::Request, _, _>(account_data::get_global)
        .serve::<api::config::set_global_account_data::v3::Request, _, _>(account_data::set_global)
        .serve::<api::config::get_room_account_data::v3::Request, _, _>(account_data::get_of_room)
        .serve::<api::config::set_room_account_data::v3::Request, _, _>(account_data::set_of_room)
        .serve::<api::filter::create_filter::v3::Request, _, _>(filters::create)
        .serve::<api::filter::get_filter::v3::Request, _, _>(filters::get)
}

fn media_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    use api::authenticated_media as read;
    use api::media as write;
    let endpoints = ["/_matrix/media/v3/upload", "/_matrix/media/r0/upload"]
        .into_iter()
        .fold(endpoints, |endpoints, path| {
            endpoints.serve_at(&Method::POST, path, media::upload)
        });
    media::serve_open(endpoints)
        .serve::<read::get_content::v1::Request, _, _>(media::download)
        .serve::<read::get_content_as_filename::v1::Request, _, _>(media::download_as)
        .serve::<read::get_media_config::v1::Request, _, _>(media::config)
        .serve_at(&Method::GET, "/_matrix/media/v3/config", media::config)
        .serve_at(&Method::GET, "/_matrix/media/r0/config", media::config)
        .serve::<read::get_content_thumbnail::v1::Request, _, _>(media::thumbnail)
        .serve::<read::get_media_preview::v1::Request, _, _>(media::preview)
        .serve_at(
            &Method::GET,
            "/_matrix/media/v3/preview_url",
            media::preview_before_v1_11,
        )
        .serve_at(
            &Method::GET,
            "/_matrix/media/r0/preview_url",
            media::preview_before_v1_11,
        )
        .serve::<write::create_mxc_uri::v1::Request, _, _>(media::reserve)
        .serve::<write::create_content_async::v3::Request, _, _>(media::upload_to)
}

/// How rooms are found, entered from outside, and replaced.
fn entrance_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<api::directory::get_public_rooms::v3::Request, _, _>(directory::list)
        .serve::<api::directory::get_public_rooms_filtered::v3::Request, _, _>(directory::search)
        .serve::<api::directory::get_room_visibility::v3::Request, _, _>(directory::listed)
        .serve::<api::directory::set_room_visibility::v3::Request, _, _>(directory::set_listed)
        .serve::<api::knock::knock_room::v3::Request, _, _>(knock::knock)
        .serve::<api::room::upgrade_room::v3::Request, _, _>(upgrade::upgrade)
        .serve::<api::room::get_summary::v1::Request, _, _>(summary::summary)
        .serve_at(
            &Method::GET,
            "/_matrix/client/unstable/im.nheko.summary/summary/{room_id_or_alias}",
            summary::summary,
        )
        .serve::<api::space::get_hierarchy::v1::Request, _, _>(hierarchy::hierarchy)
}

fn event_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    use api::{relations as read, reporting, room, threads};
    let endpoints = [
        "/_matrix/client/v3/rooms/{room_id}/initialSync",
        "/_matrix/client/r0/rooms/{room_id}/initialSync",
    ]
    .into_iter()
    .fold(endpoints, |endpoints, path| {
        endpoints.serve_at(&Method::GET, path, initial_sync::of_room)
    });
    endpoints
        .serve_at(&Method::GET, "/_matrix/client/v3/events", events::events)
        .serve_at(&Method::GET, "/_matrix/client/r0/events", events::events)
        .serve_at(
            &Method::GET,
            "/_matrix/client/v3/initialSync",
            initial_sync::of_all,
        )
        .serve_at(
            &Method::GET,
            "/_matrix/client/r0/initialSync",
            initial_sync::of_all,
        )
        .serve::<read::get_relating_events::v1::Request, _, _>(relations::relations)
        .serve::<read::get_relating_events_with_rel_type::v1::Request, _, _>(
            relations::with_rel_type,
        )
        .serve::<read::get_relating_events_with_rel_type_and_event_type::v1::Request, _, _>(
            relations::with_event_type,
        )
        .serve::<threads::get_threads::v1::Request, _, _>(relations::threads)
        .serve::<api::context::get_context::v3::Request, _, _>(context::context)
        .serve::<room::get_event_by_timestamp::v1::Request, _, _>(context::at_time)
        .serve::<room::report_content::v3::Request, _, _>(reports::event)
        .serve::<room::report_room::v3::Request, _, _>(reports::room)
        .serve::<reporting::report_user::v3::Request, _, _>(reports::user)
}

fn push_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    use api::push;
    let endpoints = [
        "/_matrix/client/v3/pushrules/global/{kind}/",
        "/_matrix/client/r0/pushrules/global/{kind}/",
    ]
    .into_iter()
    .fold(endpoints, |endpoints, path| {
        endpoints
            .serve_at(&Method::GET, path, push_rules::of_kind)
            .serve_at(&Method::PUT, path, push_rules::nothing_named)
    });
    let endpoints = [
        "/_matrix/client/v3/pushrules/",
        "/_matrix/client/r0/pushrules/",
    ]
    .into_iter()
    .fold(endpoints, |endpoints, path| {
        endpoints.serve_at(&Method::PUT, path, push_rules::nothing_named)
    });
    let endpoints = [
        "/_matrix/client/v3/pushrules",
        "/_matrix/client/r0/pushrules",
        "/_matrix/client/v3/pushrules/{*rest}",
        "/_matrix/client/r0/pushrules/{*rest}",
    ]
    .into_iter()
    .fold(endpoints, |endpoints, path| {
        endpoints
            .serve_at(&Method::GET, path, push_rules::nothing_named)
            .serve_at(&Method::PUT, path, push_rules::nothing_named)
    });
    endpoints
        .serve::<push::get_pushrules_all::v3::Request, _, _>(push_rules::all)
        .serve::<push::get_pushrules_global_scope::v3::Request, _, _>(push_rules::of_scope)
        .serve::<push::get_pushrule::v3::Request, _, _>(push_rules::get)
        .serve::<push::set_pushrule::v3::Request, _, _>(push_rules::put)
        .serve::<push::delete_pushrule::v3::Request, _, _>(push_rules::delete)
        .serve::<push::get_pushrule_enabled::v3::Request, _, _>(push_rules::get_enabled)
        .serve::<push::set_pushrule_enabled::v3::Request, _, _>(push_rules::set_enabled)
        .serve::<push::get_pushrule_actions::v3::Request, _, _>(push_rules::get_actions)
        .serve::<push::set_pushrule_actions::v3::Request, _, _>(push_rules::set_actions)
        .serve::<push::get_notifications::v3::Request, _, _>(notifications::notifications)
        .serve::<push::get_pushers::v3::Request, _, _>(notifications::pushers)
}

fn own_endpoints(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<api::tag::get_tags::v3::Request, _, _>(tags::get)
        .serve::<api::tag::create_tag::v3::Request, _, _>(tags::put)
        .serve::<api::tag::delete_tag::v3::Request, _, _>(tags::delete)
        .serve::<api::presence::get_presence::v3::Request, _, _>(presence::get)
        .serve::<api::presence::set_presence::v3::Request, _, _>(presence::put)
        .serve::<api::user_directory::search_users::v3::Request, _, _>(people::search)
        .serve::<api::thirdparty::get_protocols::v3::Request, _, _>(people::protocols)
        .serve::<api::account::request_openid_token::v3::Request, _, _>(openid::request)
        .serve::<api::voip::get_turn_server_info::v3::Request, _, _>(turn::turn_server)
        .serve_at(
            &Method::GET,
            "/_matrix/federation/v1/openid/userinfo",
            openid::user_info,
        )
}
