//! The pages of sign-in: rendered here, in Korean and English, and good without a script.
//!
//! Every form carries a seal that only a page of ours could give it in the same browser. Nothing is fetched from elsewhere and no
//! page can be put into a frame.

pub mod account;
pub mod consent;
mod cookies;
pub mod device;
mod form;
mod next;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
mod words;

pub use account::{end_session, forget_consent, show as show_account};
pub use consent::{ask as ask_consent, decide as decide_consent};
pub use cookies::signed_in as signed_in_cookie;
pub use device::{decide as decide_device, show as show_device};
pub use form::wrong_form;
pub use next::{Action, Asked, Fresh, Managing, Next};
pub use sign_in::{PURPOSE as FRESH_PURPOSE, ask as ask_sign_in, sign_in};
pub use sign_out::{ask as ask_sign_out, end as end_sign_out, sign_out};
pub use sign_up::{ask as ask_sign_up, show as show_sign_up, sign_up};
pub use words::{Language, Words};

use super::oauth::par;
use crate::provider::{Keys, Provider};
use askama::Template;
use axum::response::{IntoResponse, Response};
use cookies::FormSeal;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ring::digest::{SHA256, digest};
use std::sync::Arc;

const STYLE: &str = include_str!("../../../templates/style.css");

/// The pages' style.
#[utoipa::path(get, path = "/account/style.css", tag = "sign-in",
    responses((status = 200, content_type = "text/css", body = String)))]
pub async fn style() -> impl IntoResponse {
    let kept = "public, max-age=86400";
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, kept),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE)
}

/// What all pages are made with.
pub struct Desk<'a> {
    pub provider: &'a Provider,
    pub headers: &'a HeaderMap,
    pub keys: Arc<Keys>,
    pub words: &'static Words,
}

impl<'a> Desk<'a> {
    /// The desk for a request; `ui_locales` is what its client says of the person's languages.
    pub async fn new(
        provider: &'a Provider,
        headers: &'a HeaderMap,
        ui_locales: Option<&str>,
    ) -> Result<Self, Response> {
        let words = Language::of(ui_locales, headers).words();
        match provider.keys().await {
            Ok(keys) => Ok(Self {
                provider,
                headers,
                keys,
                words,
            }),
            Err(error) => {
                tracing::warn!(%error, "a page cannot be made");
                Err(unavailable(words))
            }
        }
    }

    /// The seal of this page's forms.
    pub fn seal(&self) -> Result<FormSeal, Response> {
        let seal = cookies::seal(self.provider, &self.keys, self.headers);
        seal.ok_or_else(|| unavailable(self.words))
    }

    /// Where the browser may be led in the end by a form that goes on with `next`.
    pub fn leads_to(&self, next: &Next) -> Option<String> {
        let Next::Authorize(asked) = next else {
            return None;
        };
        let pushed = asked.params.request_uri.as_deref();
        let pushed = pushed.and_then(|name| par::open(self.provider, &self.keys, name));
        let params = pushed.as_ref().unwrap_or(&asked.params);
        origin(params.redirect_uri.as_deref()?)
    }

    /// The name of the client for which a form goes on with `next`.
    pub async fn app(&self, next: &Next) -> Option<String> {
        let Next::Authorize(asked) = next else {
            return None;
        };
        let id = asked.params.client_id.as_deref()?.parse().ok()?;
        let client = self.provider.client(&id).await.ok()??;
        Some(client.name().to_owned())
    }

    /// Whether a form came from one of our pages in this browser.
    pub fn is_ours(&self, seal: Option<&str>) -> bool {
        let seal = seal.unwrap_or_default();
        cookies::is_ours(self.provider, &self.keys, self.headers, seal)
    }

    /// A page that says what is wrong.
    pub fn error(&self, status: StatusCode, what: &str, why: Option<&str>) -> Response {
        error(self.words, status, what, why)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    w: &'static Words,
    what: &'a str,
    why: Option<&'a str>,
}

/// A page that says what is wrong; `why` is for whoever wrote the app.
pub fn error(words: &'static Words, status: StatusCode, what: &str, why: Option<&str>) -> Response {
    let page = ErrorPage {
        w: words,
        what,
        why,
    };
    render(status, &page, None)
}

fn unavailable(words: &'static Words) -> Response {
    let mut response = error(words, StatusCode::SERVICE_UNAVAILABLE, words.busy, None);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

#[derive(Template)]
#[template(path = "send.html")]
struct SendPage<'a> {
    w: &'static Words,
    /// Where the form leads, and what it has.
    to: &'a str,
    pairs: &'a [(&'a str, &'a str)],
    script: &'static str,
}

/// What sends the form of [`render_sending`] where a browser runs scripts. It is the only script there is.
const SEND: &str = "document.forms[0].submit()";

/// A page whose form brings `pairs` to `to`: by itself, or when the person goes on.
pub fn render_sending(desk: &Desk<'_>, to: &str, pairs: &[(&str, &str)]) -> Response {
    let page = SendPage {
        w: desk.words,
        to,
        pairs,
        script: SEND,
    };
    let hash = BASE64.encode(digest(&SHA256, SEND.as_bytes()).as_ref());
    let script = format!("script-src 'sha256-{hash}'; ");
    render_with(StatusCode::OK, &page, origin(to).as_deref(), &script)
}

/// A page. Its forms may lead to us, and to `leads_to` beside that: browsers hold a form to where it leads in the end.
pub fn render(status: StatusCode, page: &impl Template, leads_to: Option<&str>) -> Response {
    render_with(status, page, leads_to, "")
}

/// The same, with more in its policy.
fn render_with(
    status: StatusCode,
    page: &impl Template,
    leads_to: Option<&str>,
    policy: &str,
) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let leads_to = leads_to.map_or_else(String::new, |origin| format!(" {origin}"));
    let policy = format!(
        "default-src 'none'; {policy}style-src 'self'; form-action 'self'{leads_to}; frame-ancestors 'none'; base-uri 'none'"
    );
    let Ok(policy) = HeaderValue::from_str(&policy) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With none at all, browsers would not say where a form comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Adds a cookie to an answer.
pub fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Leads the browser to `location`, with GET (RFC 9700, section 4.12).
pub fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// The part of an address that a form's policy needs: its origin, or a native client's scheme.
pub fn origin(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        scheme => Some(format!("{scheme}:")),
    }
}
