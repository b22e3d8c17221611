//! Endpoints that `ruma` lets application services authenticate at. There are none here, so that
//! nobody does.

use ruma::api::auth_scheme::NoAccessToken;
use ruma::api::client::session::login;
use ruma::api::error::DeserializationError;
use ruma::api::{IncomingRequest, Metadata};
use serde::Deserialize;

/// `ruma`'s request, for everybody.
pub struct Open<R>(pub R);

/// Checks a body before `ruma` reads it.
pub trait Check {
    /// Whether `ruma` can read it.
    fn check(body: &[u8]) -> serde_json::Result<()>;
}

impl Check for login::v3::Request {
    /// `ruma` panics on a body that is an object without a `type`.
    fn check(body: &[u8]) -> serde_json::Result<()> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            _type: String,
        }
        serde_json::from_slice::<Typed>(body).map(|_| ())
    }
}

impl<R: Metadata> Metadata for Open<R> {
    const METHOD: http::Method = R::METHOD;
    const RATE_LIMITED: bool = R::RATE_LIMITED;
    type Authentication = NoAccessToken;
    type PathBuilder = R::PathBuilder;
    const PATH_BUILDER: R::PathBuilder = R::PATH_BUILDER;
}

impl<R: IncomingRequest + Check> IncomingRequest for Open<R> {
    type EndpointError = R::EndpointError;
    type OutgoingResponse = R::OutgoingResponse;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        path_args: &[&str],
    ) -> Result<Self, DeserializationError> {
        R::check(request.body())?;
        R::try_from_http_request_inner(request, path_args).map(Self)
    }
}
