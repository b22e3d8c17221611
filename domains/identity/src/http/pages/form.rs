//! Forms that people send: what is none is said on a page.

use super::{Language, error};
use crate::http::oauth::error::OauthError;
use crate::http::oauth::form::Form;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use http::HeaderMap;
use serde::de::DeserializeOwned;

/// A form of one of the pages.
pub struct PageForm<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for PageForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let form = Form::from_request(request, state).await;
        let Form(form) = form.map_err(|why| wrong_form(&headers, &why))?;
        Ok(Self(form))
    }
}

/// The page that says what is wrong with a form.
pub fn wrong_form(headers: &HeaderMap, why: &OauthError) -> Response {
    let words = Language::of(None, headers).words();
    let (status, why) = why.told();
    error(words, status, words.error_back, Some(why))
}
