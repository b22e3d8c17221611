//! Reading a file, or a part of it, or only what is known of it.

use super::refused::Refused;
use super::{House, file};
use crate::wire::{META, Meta, asked_range, given_range};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use object_store::{GetOptions, ObjectMeta, ObjectStoreExt};

/// What is known of the file.
pub(super) async fn head(
    State(house): State<House>,
    Path((store, name)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let meta = house.offer(&store)?.store.head(&file(&name)?).await?;
    let mut response = StatusCode::OK.into_response();
    describe(&mut response, &meta);
    Ok(response)
}

/// The file, or the part of it that the header `Range` names.
pub(super) async fn get(
    State(house): State<House>,
    Path((store, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let offer = house.offer(&store)?;
    let name = file(&name)?;
    let range = match headers.get(header::RANGE) {
        Some(text) => {
            let range = text.to_str().ok().and_then(asked_range);
            Some(range.ok_or(Refused::NoRange)?)
        }
        None => None,
    };
    let place = house.transfer()?;
    let partial = range.is_some();
    let options = GetOptions::new().with_range(range);
    let found = offer.store.get_opts(&name, options).await?;
    let (meta, range) = (found.meta.clone(), found.range.clone());
    let pace = house.pace.clone();
    let pieces = found.into_stream().and_then(move |piece| {
        // The place is kept until the last piece has gone.
        let _held = &place;
        let pace = pace.clone();
        async move {
            pace.take(piece.len()).await;
            Ok(piece)
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    describe(&mut response, &meta);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if partial {
        let given = HeaderValue::from_str(&given_range(&range, meta.size));
        headers.extend(given.ok().map(|given| (header::CONTENT_RANGE, given)));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn describe(response: &mut Response, meta: &ObjectMeta) {
    let known = Meta::of(meta).header();
    response
        .headers_mut()
        .extend(known.map(|known| (META, known)));
}
