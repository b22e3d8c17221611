//! The OpenID provider over HTTP, one file an endpoint. Wire types stop here and in `provider`.

pub(crate) mod authorize;
mod client_auth;
mod device_authorization;
mod discovery;
pub(crate) mod error;
pub(crate) mod form;
mod introspect;
mod keys;
pub(crate) mod logout;
pub(crate) mod par;
mod register;
mod reply;
mod revoke;
mod status;
mod token;
mod userinfo;

pub(crate) use register::prepare;

use super::pages;
use crate::provider::Provider;
use bongsu_web_kit::admin::Routes;
use utoipa::OpenApi;

/// The routes.
#[must_use]
pub fn routes() -> Routes<Provider> {
    Routes::default()
        .get("/.well-known/openid-configuration", discovery::openid)
        .get("/.well-known/oauth-authorization-server", discovery::oauth)
        .get("/_matrix/client/v1/auth_metadata", discovery::matrix)
        .get(
            "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
            discovery::matrix_before,
        )
        .get("/oauth2/keys.json", keys::handle)
        .get(authorize::PATH, authorize::get)
        .post(authorize::PATH, authorize::post)
        .post("/oauth2/par", par::handle)
        .post(token::PATH, token::handle)
        .post("/oauth2/device_authorization", device_authorization::handle)
        .post("/oauth2/introspect", introspect::handle)
        .post("/oauth2/revoke", revoke::handle)
        .get("/oauth2/status/{list}", status::handle)
        .get("/oauth2/userinfo", userinfo::get)
        .post("/oauth2/userinfo", userinfo::post)
        .get("/oauth2/logout", logout::get)
        .post("/oauth2/logout", logout::post)
        .post("/oauth2/register", register::handle)
        .get("/account", pages::show_account)
        .get("/account/style.css", pages::style)
        .post("/account/sign-in", pages::sign_in)
        .get("/account/sign-up", pages::show_sign_up)
        .post("/account/sign-up", pages::sign_up)
        .post("/account/consent", pages::decide_consent)
        .get("/account/device", pages::show_device)
        .post("/account/device", pages::decide_device)
        .post("/account/sessions/end", pages::end_session)
        .post("/account/apps/forget", pages::forget_consent)
        .post("/account/sign-out", pages::sign_out)
}

#[derive(OpenApi)]
#[openapi(paths(
    discovery::openid,
    discovery::oauth,
    discovery::matrix,
    discovery::matrix_before,
    keys::handle,
    authorize::get,
    authorize::post,
    par::handle,
    token::handle,
    device_authorization::handle,
    introspect::handle,
    revoke::handle,
    status::handle,
    userinfo::get,
    userinfo::post,
    logout::get,
    logout::post,
    register::handle,
    pages::account::show,
    pages::style,
    pages::sign_in::sign_in,
    pages::sign_up::show,
    pages::sign_up::sign_up,
    pages::consent::decide,
    pages::device::show,
    pages::device::decide,
    pages::account::end_session,
    pages::account::forget_consent,
    pages::sign_out::sign_out,
))]
struct Description;

/// The description of the routes.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
