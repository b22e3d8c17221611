//! The files in a store, one a line.

use super::refused::Refused;
use super::{House, file};
use crate::wire::Meta;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http::header;
use serde::Deserialize;

/// Which files.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Those in this folder.
    #[serde(default)]
    prefix: String,
    /// Those after this name.
    after: Option<String>,
}

/// They are sent as they are found, in whatever order: a store may hold more than fits into memory. A list
/// that breaks off is seen to, since its last piece is missing (RFC 9112, section 7.1).
pub(super) async fn list(
    State(house): State<House>,
    Path(store): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|_| Refused::NoName)?;
    let store = house.offer(&store)?.store.clone();
    let prefix = Some(file(&wanted.prefix)?).filter(|prefix| !prefix.as_ref().is_empty());
    let place = house.transfer()?;
    let found = match wanted.after {
        Some(after) => store.list_with_offset(prefix.as_ref(), &file(&after)?),
        None => store.list(prefix.as_ref()),
    };
    let pace = house.pace.clone();
    let lines = found.and_then(move |meta| {
        let _held = &place;
        let (line, pace) = (Meta::named(&meta).line(), pace.clone());
        async move {
            pace.take(line.len()).await;
            Ok(line)
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}
