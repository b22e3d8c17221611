//! Looking at accounts.

use super::meant;
use crate::{Accounts, query};
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_web_kit::admin::{Page, PageQuery, Problem, Refusals};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its Matrix id.
    pub user_id: String,
    /// Whether it may administer the installation.
    pub admin: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was ended, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_ms: Option<i64>,
    /// Whether it is locked.
    pub locked: bool,
    /// Whether it is suspended.
    pub suspended: bool,
}

/// An account, with its devices and how it shows itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserDetail {
    /// The account.
    #[serde(flatten)]
    pub user: User,
    /// The name that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayname: Option<String>,
    /// Its devices.
    pub devices: Vec<UserDevice>,
}

/// A device of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserDevice {
    /// Its id.
    pub device_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// When its tokens were last made, in milliseconds since 1970.
    pub last_seen_ms: i64,
    /// From which network.
    pub last_seen_from: String,
}

impl From<query::Listed> for User {
    fn from(found: query::Listed) -> Self {
        Self {
            user_id: found.user.to_string(),
            admin: found.admin,
            created_ms: found.created.0,
            deactivated_ms: found.deactivated.map(|at| at.0),
            locked: found.locked,
            suspended: found.suspended,
        }
    }
}

/// Which accounts are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// What their ids contain.
    name: String,
}

/// List accounts, by id.
#[utoipa::path(get, path = "/admin/v1/users", tag = "administration: accounts",
    params(PageQuery, Wanted), responses((status = 200, body = Page<User>), Refusals))]
pub async fn list(
    State(accounts): State<Accounts>,
    Query(page): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<User>>, Problem> {
    let limit = page.limit();
    let after = page.cursor.unwrap_or_default();
    let look = accounts.read(|view| query::list(view, &after, &wanted.name, limit + 1));
    let found: Vec<User> = look.await?.into_iter().map(User::from).collect();
    Ok(Json(Page::of(found, limit, |user| user.user_id.clone())))
}

/// Show an account. `{user}` is its Matrix id or the part of it between `@` and `:`.
#[utoipa::path(get, path = "/admin/v1/users/{user}", tag = "administration: accounts",
    params(("user" = String, Path)), responses((status = 200, body = UserDetail), Refusals))]
pub async fn show(
    State(accounts): State<Accounts>,
    Path(name): Path<String>,
) -> Result<Json<UserDetail>, Problem> {
    let user = meant(&accounts, &name)?;
    let look = accounts.read(|view| {
        let Some(found) = query::listed(view, &user)? else {
            return Ok(None);
        };
        let devices = query::devices(view, &user)?;
        let profile = query::profile(view, &user)?.unwrap_or_default();
        Ok(Some((found, devices, profile)))
    });
    let none = || Problem::not_found(format!("there is no account {user}"));
    let (found, devices, profile) = look.await?.ok_or_else(none)?;
    let name = profile.iter().find(|(field, _)| field == "displayname");
    let devices = devices.into_iter().map(|device| UserDevice {
        device_id: device.device.to_string(),
        display_name: device.display_name,
        last_seen_ms: device.seen.0,
        last_seen_from: device.seen_from,
    });
    Ok(Json(UserDetail {
        user: found.into(),
        displayname: name.and_then(|(_, json)| serde_json::from_str(json).ok()),
        devices: devices.collect(),
    }))
}
