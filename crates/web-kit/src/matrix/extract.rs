//! From an HTTP request to `ruma`'s request, and from its response back.

use super::error::MatrixError;
use crate::auth::{Authenticate, Caller};
use crate::{guests, suspended};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http::HeaderMap;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ruma::api::auth_scheme::{
    AccessToken, AccessTokenOptional, AuthScheme, NoAccessToken, NoAuthentication,
};
use ruma::api::error::{DeserializationError, FromHttpRequestError};
use ruma::api::{
    IncomingRequest, IncomingRequestExt, Metadata, OutgoingResponse, OutgoingResponseExt,
};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest JSON body taken, in bytes. An event may have 65,536; a request may carry several.
const MAX_BODY: usize = 1 << 20;

/// What an endpoint's state has to offer to its extractor.
pub trait Gate: Clone + Send + Sync + 'static {
    /// Who tells to whom a token belongs.
    fn authenticator(&self) -> &Arc<dyn Authenticate>;
}

/// How an endpoint's callers are known, by the authentication that the specification asks of it.
pub trait Scheme: AuthScheme {
    /// What the endpoint learns: a caller, perhaps one, or nothing.
    type Caller: Send;

    /// Checks the request's token.
    fn admit(
        parts: &Parts,
        authenticator: &dyn Authenticate,
    ) -> impl Future<Output = Result<Self::Caller, MatrixError>> + Send;
}

impl Scheme for AccessToken {
    type Caller = Caller;

    async fn admit(parts: &Parts, authenticator: &dyn Authenticate) -> Result<Caller, MatrixError> {
        let token = token(parts).ok_or_else(MatrixError::missing_token)?;
        admit(parts, &token, authenticator).await
    }
}

/// The caller with this token, if their account may do what they ask for (Matrix v1.19, account locking,
/// account suspension).
async fn admit(
    parts: &Parts,
    token: &str,
    authenticator: &dyn Authenticate,
) -> Result<Caller, MatrixError> {
    let path = parts.uri.path();
    if suspended::is_leaving(path) {
        return Ok(authenticator.authenticate_locked(token).await?);
    }
    let caller = authenticator.authenticate(token).await?;
    if token.starts_with(guests::GUEST_TOKEN) && !guests::may(parts) {
        return Err(MatrixError::not_for_guests());
    }
    if suspended::is_speaking(&parts.method, path)
        && authenticator.standing(&caller.user).await?.suspended
    {
        return Err(MatrixError::suspended());
    }
    Ok(caller)
}

impl Scheme for AccessTokenOptional {
    type Caller = Option<Caller>;

    async fn admit(
        parts: &Parts,
        authenticator: &dyn Authenticate,
    ) -> Result<Option<Caller>, MatrixError> {
        match token(parts) {
            Some(token) => Ok(Some(admit(parts, &token, authenticator).await?)),
            None => Ok(None),
        }
    }
}

/// Declares schemes that ask for nothing.
macro_rules! open_scheme {
    ($($scheme:ty),*) => {$(
        impl Scheme for $scheme {
            type Caller = ();

            async fn admit(_: &Parts, _: &dyn Authenticate) -> Result<(), MatrixError> {
                Ok(())
            }
        }
    )*};
}
open_scheme!(NoAuthentication, NoAccessToken);

/// Has a request that is read in a way of ours stand for one of `ruma`'s: under its paths, with its method, admitted by
/// the scheme that is named. A parameter of it, if it has one, stands for a request.
#[macro_export]
macro_rules! stands_for {
    ($ours:ty, $theirs:ty, $scheme:ty $(; $generic:ident)?) => {
        impl $(<$generic: ::ruma::api::Metadata>)? ::ruma::api::Metadata for $ours {
            const METHOD: ::http::Method = <$theirs as ::ruma::api::Metadata>::METHOD;
            const RATE_LIMITED: bool = <$theirs as ::ruma::api::Metadata>::RATE_LIMITED;
            type Authentication = $scheme;
            type PathBuilder = <$theirs as ::ruma::api::Metadata>::PathBuilder;
            const PATH_BUILDER: Self::PathBuilder =
                <$theirs as ::ruma::api::Metadata>::PATH_BUILDER;
        }
    };
}

/// The token in the `Authorization` header (RFC 6750).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The token in the `Authorization` header, or in the deprecated query parameter.
fn token(parts: &Parts) -> Option<String> {
    if let Some(token) = bearer(&parts.headers) {
        return Some(token.to_owned());
    }
    let query = parts.uri.query()?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
        .map(str::to_owned)
}

/// One Matrix request that passed the gate.
pub struct Matrix<R>
where
    R: Metadata,
    R::Authentication: Scheme,
{
    /// What is asked.
    pub request: R,
    /// Who asks.
    pub caller: <R::Authentication as Scheme>::Caller,
}

impl<R, S> FromRequest<S> for Matrix<R>
where
    R: IncomingRequest + Send,
    R::Authentication: Scheme,
    S: Gate,
{
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (mut parts, body) = request.into_parts();
        let caller = R::Authentication::admit(&parts, &**state.authenticator()).await?;
        let params = RawPathParams::from_request_parts(&mut parts, state)
            .await
            .map_err(|error| {
                MatrixError::invalid_param(format!("the path is not valid: {error}"))
            })?;
        let raw = match Limited::new(body, MAX_BODY).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(MatrixError::too_large(format!(
                    "the body is longer than {MAX_BODY} bytes"
                )));
            }
            Err(error) => {
                return Err(MatrixError::bad_json(format!(
                    "the body did not arrive: {error}"
                )));
            }
        };
        let args: Vec<&str> = params.iter().map(|(_, value)| value).collect();
        // What is read over may be anything to the parser; JSON is text all the same (RFC 8259, 8.1). And
        // who puts something puts at least `{}`.
        let put_nothing = raw.is_empty() && parts.method == http::Method::PUT;
        if put_nothing || std::str::from_utf8(&raw).is_err() {
            return Err(MatrixError::not_json("the body is not JSON"));
        }
        // Clients send nothing where every field may be left out.
        let nothing = raw.is_empty() && parts.method == http::Method::POST;
        let raw = if nothing {
            bytes::Bytes::from_static(b"{}")
        } else {
            raw
        };
        if is_list(&raw) {
            return Err(MatrixError::bad_json("the body is to be a JSON object"));
        }
        match read::<R>(parts, &raw, &args) {
            Ok(request) => Ok(Self { request, caller }),
            // Something has to be said here.
            Err(FromHttpRequestError::Deserialization(DeserializationError::Json(_)))
                if nothing =>
            {
                Err(MatrixError::not_json("the body is empty; it is to be JSON"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a body is a JSON list, which parsers take for an object whose fields were all left out.
fn is_list(raw: &[u8]) -> bool {
    raw.trim_ascii_start().starts_with(b"[")
        && serde_json::from_slice::<Vec<IgnoredAny>>(raw).is_ok()
}

/// What is asked, with the body's `null`s left out where it cannot be read with them.
fn read<R: IncomingRequest>(
    parts: Parts,
    raw: &[u8],
    args: &[&str],
) -> Result<R, FromHttpRequestError> {
    let has_null = raw.windows(4).any(|bytes| bytes == b"null");
    let again = has_null.then(|| parts.clone());
    R::try_from_http_request(http::Request::from_parts(parts, raw), args).or_else(|error| {
        let read = again.and_then(|parts| without_nulls(parts, raw, args));
        read.ok_or(error)
    })
}

/// The request without those of its body's own fields that are `null`, if it can be read so: many clients
/// write what they leave out as `null`.
fn without_nulls<R: IncomingRequest>(parts: Parts, raw: &[u8], args: &[&str]) -> Option<R> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(raw).ok()?;
    let all = fields.len();
    fields.retain(|_, value| value.get() != "null");
    if fields.len() == all {
        return None;
    }
    let body = serde_json::to_vec(&fields).ok()?;
    R::try_from_http_request(http::Request::from_parts(parts, &*body), args).ok()
}

/// An endpoint's answer.
pub struct Reply<R>(pub R);

/// What a Matrix endpoint gives.
pub type Answer<R> = Result<Reply<R>, MatrixError>;

impl<R: OutgoingResponse> IntoResponse for Reply<R> {
    fn into_response(self) -> Response {
        match self.0.try_into_http_response::<BytesMut>() {
            Ok(response) => response.map(|body| axum::body::Body::from(body.freeze())),
            Err(error) => MatrixError::internal(error).into_response(),
        }
    }
}
