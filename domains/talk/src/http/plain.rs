//! Requests that are read more freely, or more strictly, than `ruma` reads them.

use super::Api;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{MatrixError, Scheme};
use http_body_util::{BodyExt, Limited};
use ruma::UInt;
use ruma::api::auth_scheme::AccessToken;
use serde_json::{Map, Value};

/// The longest body, in bytes.
const MAX_BODY: usize = 1 << 16;

/// A request as it came, from somebody who is signed in.
pub struct Plain {
    /// Who asks.
    pub caller: Caller,
    params: Vec<(String, String)>,
    query: String,
    body: Vec<u8>,
}

impl FromRequest<Api> for Plain {
    type Rejection = MatrixError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, MatrixError> {
        let (mut parts, body) = request.into_parts();
        let caller = AccessToken::admit(&parts, &*api.authenticator).await?;
        let params = RawPathParams::from_request_parts(&mut parts, api).await;
        let params = params.map_err(|error| MatrixError::invalid_param(error.to_string()))?;
        let params = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| {
            MatrixError::too_large(format!("the body is longer than {MAX_BODY} bytes"))
        })?;
        Ok(Self {
            caller,
            params,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: body.to_bytes().to_vec(),
        })
    }
}

impl Plain {
    /// A part of the path.
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// A part of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        query_value(&self.query, name)
    }

    /// The body, which is to be a JSON object.
    pub fn object(&self) -> Result<Map<String, Value>, MatrixError> {
        match parse(&self.body)? {
            Value::Object(object) => Ok(object),
            _ => Err(MatrixError::bad_json("the body is to be a JSON object")),
        }
    }

    /// The body, which is to be a JSON object, or nothing.
    pub fn object_or_nothing(&self) -> Result<Map<String, Value>, MatrixError> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        self.object()
    }
}

/// Reads JSON, which nothing at all is not.
fn parse(raw: &[u8]) -> Result<Value, MatrixError> {
    serde_json::from_slice(raw).map_err(|error| not_json(&error))
}

/// 400 `M_NOT_JSON`.
pub fn not_json(error: &serde_json::Error) -> MatrixError {
    MatrixError::not_json(error.to_string())
}

/// Sees that a page is not to have nothing.
pub fn need_some(limit: Option<UInt>) -> Result<(), MatrixError> {
    if limit == Some(UInt::MIN) {
        return Err(MatrixError::invalid_param("`limit` is greater than zero"));
    }
    Ok(())
}

/// The first value of `name` in a query.
pub fn query_value(query: &str, name: &str) -> Option<String> {
    let pairs = pairs_of(query);
    pairs
        .into_iter()
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn pairs_of(query: &str) -> Vec<(String, String)> {
    let uri: Result<http::Uri, _> = format!("/?{query}").parse();
    let pairs = uri.ok().and_then(|uri| {
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .ok()
            .map(|axum::extract::Query(pairs)| pairs)
    });
    pairs.unwrap_or_default()
}
