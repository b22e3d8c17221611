//! Looking at media, withholding it, protecting it, deleting it.

use super::{Api, media_id, user_id};
use crate::apply::MOST_MEDIA;
use crate::command::Act;
use crate::query::{self, InspectedMedia};
use crate::state::media;
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Uploaded media.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Media {
    /// Its id: what stands behind the server in its `mxc://` URI.
    pub media_id: String,
    /// Who uploaded it.
    pub uploader: String,
    /// Its length in bytes.
    pub bytes: i64,
    /// What the uploader said it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What the uploader called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// When it was uploaded, in milliseconds since 1970.
    pub created_ms: i64,
    /// Whether it is withheld from everybody.
    pub quarantined: bool,
    /// Whether it goes neither by age nor with a room's.
    pub protected: bool,
}

/// What was deleted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// How many media.
    pub media: usize,
}

impl From<InspectedMedia> for Media {
    fn from(found: InspectedMedia) -> Self {
        Self {
            media_id: found.id,
            uploader: found.uploader,
            bytes: found.bytes,
            content_type: found.content_type,
            filename: found.filename,
            created_ms: found.time.0,
            quarantined: found.quarantined,
            protected: found.protected,
        }
    }
}

/// Which media is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Whose uploads.
    user: Option<String>,
}

/// List media, by id.
#[utoipa::path(get, path = "/admin/v1/media", tag = "administration: media",
    params(PageQuery, Wanted), responses((status = 200, body = Page<Media>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Media>>, Problem> {
    let limit = page.limit();
    let after = page.cursor.unwrap_or_default();
    let user = wanted.user.map(|user| user_id(&api, &user)).transpose()?;
    let user = user.as_ref().map(|user| user.as_str());
    let look = api
        .lane
        .read(|view| query::inspect_media(view.db(), &after, user, limit + 1));
    let found: Vec<Media> = look.await?.into_iter().map(Media::from).collect();
    Ok(Json(Page::of(found, limit, |media| media.media_id.clone())))
}

/// Show media.
#[utoipa::path(get, path = "/admin/v1/media/{media}", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), responses((status = 200, body = Media), Refusals))]
pub async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Media>, Problem> {
    let id = media_id(&api, id)?;
    let look = api
        .lane
        .read(|view| query::inspect_one_media(view.db(), &id));
    let none = || Problem::not_found(format!("there is no media `{id}` here"));
    Ok(Json(look.await?.ok_or_else(none)?.into()))
}

/// Withhold media from everybody.
#[utoipa::path(post, path = "/admin/v1/media/{media}/quarantine", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn quarantine(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::QuarantineMedia {
        ids: vec![media_id(&api, id)?],
        quarantined: true,
        room: None,
    };
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Give media that was withheld back.
#[utoipa::path(post, path = "/admin/v1/media/{media}/unquarantine", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unquarantine(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::QuarantineMedia {
        ids: vec![media_id(&api, id)?],
        quarantined: false,
        room: None,
    };
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Keep media from going by age or with a room's.
#[utoipa::path(post, path = "/admin/v1/media/{media}/protect", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn protect(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::ProtectMedia {
        id: media_id(&api, id)?,
        protected: true,
    };
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Protect media no longer.
#[utoipa::path(post, path = "/admin/v1/media/{media}/unprotect", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unprotect(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::ProtectMedia {
        id: media_id(&api, id)?,
        protected: false,
    };
    api.administer(&operator, asked.kept_reason()?, act).await?;
    Ok(Done {})
}

/// Delete media for good.
#[utoipa::path(post, path = "/admin/v1/media/{media}/delete", tag = "administration: media",
    params(("media" = String, Path, description = "Its id or its `mxc://` URI.")), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn delete(
    State(api): State<Api>,
    operator: Operator,
    Path(id): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let reason = asked.kept_reason()?;
    let ids = vec![media_id(&api, id)?];
    let blobs = api.blobs_of(&ids).await?;
    let act = Act::DeleteMedia { ids, user: None };
    api.administer(&operator, reason, act).await?;
    api.drop_blobs(blobs).await;
    Ok(Done {})
}

/// Delete everything that somebody uploaded.
#[utoipa::path(post, path = "/admin/v1/users/{user}/delete-media", tag = "administration: media",
    params(("user" = String, Path)), request_body = Acting,
    responses((status = 200, body = Deleted), Refusals))]
pub async fn delete_of_user(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Json<Deleted>, Problem> {
    let user = user_id(&api, &name)?;
    let reason = asked.kept_reason()?;
    let most = MOST_MEDIA as u32;
    let mut deleted = 0;
    loop {
        let look = api
            .lane
            .read(|view| media::uploads(view.db(), user.as_str(), "", most));
        let ids = look.await?;
        if ids.is_empty() {
            return Ok(Json(Deleted { media: deleted }));
        }
        deleted += ids.len();
        let blobs = api.blobs_of(&ids).await?;
        let act = Act::DeleteMedia {
            ids,
            user: Some(user.clone()),
        };
        api.administer(&operator, reason.clone(), act).await?;
        api.drop_blobs(blobs).await;
    }
}
