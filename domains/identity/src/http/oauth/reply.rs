//! Answers to clients through the browser (RFC 6749, section 4.1.2; RFC 9207; JARM; OAuth 2.0 Form Post Response Mode).

use crate::command::oauth::ClientId;
use crate::http::pages::{Desk, render_sending, see_other};
use crate::provider::request::{ReplyTo, RequestError, ResponseMode};
use crate::provider::tokens::seconds;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use url::{Url, form_urlencoded};

/// The kind of a signed answer: it is no ID token.
const KIND: &str = "oauth-authz-resp+jwt";
/// How long a signed answer is good, in seconds.
const LASTS: i64 = 300;

/// What a signed answer says (JARM, section 2.1).
#[derive(Serialize)]
struct ReplyClaims<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    exp: i64,
    #[serde(flatten)]
    parameters: BTreeMap<&'a str, &'a str>,
}

/// Tells the client that its request is not fulfilled.
pub fn refuse(desk: &Desk<'_>, reply: &ReplyTo, error: RequestError, why: &str) -> Response {
    let pairs = [("error", error.name()), ("error_description", why)];
    answer(desk, reply, &pairs)
}

/// Leads the browser back to the client with these parameters, whose answer they are and what it wants to be repeated.
pub fn answer(desk: &Desk<'_>, reply: &ReplyTo, pairs: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&reply.uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let issuer = desk.provider.config().issuer.as_str();
    let mut all = pairs.to_vec();
    all.extend(reply.state.iter().map(|state| ("state", state.as_str())));
    let signed;
    if let Some(algorithm) = reply.signed {
        let now = desk.provider.now();
        let claims = ReplyClaims {
            iss: issuer,
            aud: &reply.client,
            exp: seconds(now) + LASTS,
            parameters: all.iter().copied().collect(),
        };
        let token = desk
            .provider
            .sign(&desk.keys, algorithm, KIND, now, &claims);
        signed = match token {
            Ok(token) => token,
            Err(_) => {
                let busy = desk.words.busy;
                return desk.error(StatusCode::SERVICE_UNAVAILABLE, busy, None);
            }
        };
        all = vec![("response", &*signed)];
    } else {
        all.push(("iss", issuer));
    }
    match reply.mode {
        ResponseMode::Query => {
            url.query_pairs_mut().extend_pairs(all);
        }
        ResponseMode::Fragment => {
            let fragment = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(all)
                .finish();
            url.set_fragment(Some(&fragment));
        }
        ResponseMode::FormPost => return render_sending(desk, &reply.uri, &all),
    }
    see_other(url.as_str())
}
