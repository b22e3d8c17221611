//! `POST /upload`, and `PUT /upload/{server}/{id}` for an id that was given out before.

use super::super::Api;
use super::super::refuse::ruled;
use super::refused;
use crate::apply::may_store;
use crate::command::{AddMedia, Command, StoreMedia};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use bongsu_lane::Priority;
use bongsu_media::MediaError;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{MatrixError, Reply, Scheme};
use futures_util::TryStreamExt;
use http::header;
use http::request::Parts;
use ruma::api::auth_scheme::AccessToken;
use ruma::api::client::media::create_content;
use serde::Deserialize;

/// The longest name of a file or of its type that is kept, in bytes.
const MAX_NAME: usize = 1024;

#[derive(Deserialize)]
pub struct UploadQuery {
    filename: Option<String>,
}

/// `POST /upload`. The body is streamed, which `ruma`'s request type cannot; everything else is its.
pub async fn upload(
    State(api): State<Api>,
    query: Result<Query<UploadQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, MatrixError> {
    let (parts, body) = request.into_parts();
    let caller = AccessToken::admit(&parts, &*api.authenticator).await?;
    let id = api.random_name();
    let uri = format!("mxc://{}/{id}", api.config.server_name);
    let store = api.wanted(&parts, query, id, false)?;
    api.receive(&caller, store, body).await?;
    Ok(Reply(create_content::v3::Response::new(uri.into())).into_response())
}

pub async fn upload_to(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<UploadQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, MatrixError> {
    let (parts, body) = request.into_parts();
    let caller = AccessToken::admit(&parts, &*api.authenticator).await?;
    let Path((server, id)) = path.map_err(|error| MatrixError::invalid_param(error.body_text()))?;
    if server != api.config.server_name.as_str() {
        return Err(MatrixError::not_found("media of other servers is not here"));
    }
    let store = api.wanted(&parts, query, id, true)?;
    api.receive(&caller, store, body).await?;
    // The response type of `ruma` cannot be made outside of it.
    Ok(Json(serde_json::json!({})).into_response())
}

impl Api {
    /// What an upload asks for, of whose blob only the announced length is known.
    fn wanted(
        &self,
        parts: &Parts,
        query: Result<Query<UploadQuery>, QueryRejection>,
        id: String,
        reserved: bool,
    ) -> Result<StoreMedia, MatrixError> {
        let Query(query) = query.map_err(|error| MatrixError::invalid_param(error.body_text()))?;
        let header = |name| parts.headers.get(name)?.to_str().ok();
        let announced = header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let max = self.config.max_upload_bytes;
        if announced.is_some_and(|length| length > max) {
            return Err(refused(MediaError::TooLarge { max }));
        }
        let media = AddMedia {
            id,
            blob: String::new(),
            bytes: announced.unwrap_or(0),
            content_type: named(header(header::CONTENT_TYPE).map(str::to_owned))?,
            filename: named(query.filename)?,
        };
        Ok(StoreMedia {
            media,
            reserved,
            quota: self.config.media.quota_bytes,
        })
    }

    /// Stores the blob and has it known as media. What would be refused is refused before it is read.
    async fn receive(
        &self,
        caller: &Caller,
        mut store: StoreMedia,
        body: Body,
    ) -> Result<(), MatrixError> {
        let now = self.lane.progress().time;
        let user = caller.user.as_str();
        let look = self
            .lane
            .read(|view| Ok(may_store(view.db(), user, now, &store)));
        ruled(look.await)?;
        let blob;
        let told = {
            let _uploading = self.gallery.uploading().await;
            let content = body.into_data_stream().map_err(|error| error.to_string());
            let max = self.config.max_upload_bytes;
            blob = self.media.put(content, max).await.map_err(refused)?;
            store.media.blob = blob.hash.to_string();
            store.media.bytes = blob.bytes;
            self.submit(caller, Priority::Normal, None, Command::StoreMedia(store))
                .await
        };
        if told.is_err() {
            self.drop_unnamed(blob.hash).await;
        }
        told.map(drop)
    }
}

/// A name as it is kept: nothing instead of an empty one, and none that is too long to be told again.
fn named(text: Option<String>) -> Result<Option<String>, MatrixError> {
    let text = text.filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.len() > MAX_NAME) {
        return Err(MatrixError::invalid_param(format!(
            "names of files and types have at most {MAX_NAME} bytes"
        )));
    }
    Ok(text)
}
