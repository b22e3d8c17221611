//! Endpoints that `ruma` lets application services authenticate at. There are none here, so that
//! nobody does.

use bongsu_web_kit::stands_for;
use ruma::api::IncomingRequest;
use ruma::api::auth_scheme::NoAccessToken;
use ruma::api::client::session::login;
use ruma::api::error::DeserializationError;
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

stands_for!(Open<R>, R, NoAccessToken; R);

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
