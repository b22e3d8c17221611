//! What a client asks first.

use super::Api;
use super::convert::theirs;
use crate::state::version::VERSIONS;
use axum::Json;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::discovery::discover_support::{Contact, ContactRole};
use ruma::api::client::discovery::get_capabilities::v3::{
    AccountModerationCapability, Capabilities, RoomVersionStability, RoomVersionsCapability,
};
use ruma::api::client::discovery::{
    discover_homeserver, discover_support, get_capabilities, get_supported_versions,
};
use ruma::{RoomVersionId, assign};
use serde_json::{Value, json};

/// Versions of the specification whose client-server API is honoured, as far as it is served at all.
const SPECIFICATIONS: [&str; 20] = [
    "r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10",
    "v1.11", "v1.12", "v1.13", "v1.14", "v1.15", "v1.16", "v1.17", "v1.18", "v1.19",
];

/// The version of rooms that are made without a wish.
pub const DEFAULT_VERSION: &str = "11";

pub async fn versions(
    _: Matrix<get_supported_versions::Request>,
) -> Answer<get_supported_versions::Response> {
    let versions = SPECIFICATIONS.map(str::to_owned).to_vec();
    Ok(Reply(get_supported_versions::Response::new(versions)))
}

pub async fn well_known(
    State(api): State<Api>,
    _: Matrix<discover_homeserver::Request>,
) -> Answer<discover_homeserver::Response> {
    let info = discover_homeserver::HomeserverInfo::new(api.config.base_url.clone());
    Ok(Reply(discover_homeserver::Response::new(info)))
}

/// Where people find help, as far as the operator says.
#[derive(Debug, Clone, Default)]
pub struct Support {
    /// A page.
    pub page: Option<String>,
    /// An address of e-mail.
    pub email: Option<String>,
    /// Somebody's user id, on this server or another.
    pub user: Option<String>,
}

pub async fn support(
    State(api): State<Api>,
    _: Matrix<discover_support::Request>,
) -> Answer<discover_support::Response> {
    let Support { page, email, user } = &api.config.support;
    if page.is_none() && email.is_none() && user.is_none() {
        return Err(MatrixError::not_found(
            "the operator of this server has not said where people find help",
        ));
    }
    let admin = ContactRole::Admin;
    let email = email.clone();
    let email = email.map(|email| Contact::with_email_address(admin.clone(), email));
    let user = user.as_deref().map(theirs).transpose()?;
    let user = user.map(|user| Contact::with_matrix_id(admin, user));
    let contacts = email.into_iter().chain(user).collect();
    let mut response = discover_support::Response::with_contacts(contacts);
    response.support_page.clone_from(page);
    Ok(Reply(response))
}

pub async fn capabilities(
    State(api): State<Api>,
    Matrix { caller, .. }: Matrix<get_capabilities::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let version = |text: &str| RoomVersionId::try_from(text).map_err(MatrixError::internal);
    let available = VERSIONS
        .iter()
        .map(|text| Ok((version(text)?, RoomVersionStability::Stable)))
        .collect::<Result<_, MatrixError>>()?;
    let versions = RoomVersionsCapability::new(version(DEFAULT_VERSION)?, available);
    let admin = api.authenticator.standing(&caller.user).await?.admin;
    let capabilities = assign!(Capabilities::new(), {
        room_versions: versions,
        account_moderation: AccountModerationCapability::new(admin, admin),
    });
    let mut capabilities = serde_json::to_value(capabilities).map_err(MatrixError::internal)?;
    // What is as the specification assumes is told all the same, for those who look for it.
    for name in [
        "m.change_password",
        "m.get_login_token",
        "m.profile_fields",
        "m.set_avatar_url",
        "m.set_displayname",
    ] {
        capabilities[name] = json!({ "enabled": true });
    }
    capabilities["m.3pid_changes"] = json!({ "enabled": false });
    Ok(Json(json!({ "capabilities": capabilities })))
}
