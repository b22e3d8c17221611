//! What is served.

use crate::accounts::{PasswordError, Way};
use crate::browser::{self, Name};
use crate::openid::{Back, OpenId, SignInError};
use crate::{Partner, Shared};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bongsu_rp_kit::Verified;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};

const STYLE: &str = "body { max-width: 30rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif } \
    label { display: block; margin-top: 1rem } button, .way { display: inline-block; margin: 1rem .5rem 0 0 }";

/// Who calls the interface for programs.
#[derive(Debug, Serialize)]
struct Me {
    account: String,
    /// Whether what is known of the token's provider is older than the bound.
    stale: bool,
}

/// What somebody typed.
#[derive(Deserialize)]
struct Typed {
    name: String,
    password: String,
}

impl Shared {
    fn provider(&self, way: Way) -> &OpenId {
        match way {
            Way::Bongsu => &self.bongsu,
            Way::Second => &self.second,
        }
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }

    fn signed_in(&self, headers: &HeaderMap) -> Option<String> {
        let token = browser::sent(&self.base_url, headers, Name::SignedIn)?;
        self.sessions.account(&token, self.now())
    }

    /// Signs somebody in, whichever way they came.
    fn welcome(&self, account: &str) -> Response {
        let Some(token) = self.sessions.begin(account, self.now()) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let cookie = browser::set(&self.base_url, Name::SignedIn, Some(&token));
        let mut response = see_other("/");
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, cookie);
        headers.append(
            header::SET_COOKIE,
            browser::set(&self.base_url, Name::Away, None),
        );
        response
    }
}

fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn page(status: StatusCode, content: &Markup) -> Response {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Partner" }
                link rel="stylesheet" href="/style.css";
            }
            body { main { h1 { "Partner" } (content) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html.into_string()).into_response()
}

/// The three ways, with what went wrong with one of them.
fn ways(status: StatusCode, wrong: Option<&str>) -> Response {
    let content = html! {
        @if let Some(wrong) = wrong { p role="alert" { (wrong) } }
        a.way href="/sign-in/bongsu" { "Sign in with Bongsu" }
        a.way href="/sign-in/second" { "Sign in with the second provider" }
        form method="post" action="/sign-in/password" {
            label for="name" { "Name" }
            input id="name" name="name" autocomplete="username" required;
            label for="password" { "Password" }
            input id="password" name="password" type="password" autocomplete="current-password" required;
            button type="submit" { "Sign in" }
        }
    };
    page(status, &content)
}

/// Who is signed in, or how that is done.
pub async fn home(State(Partner(partner)): State<Partner>, headers: HeaderMap) -> Response {
    let Some(account) = partner.signed_in(&headers) else {
        return ways(StatusCode::OK, None);
    };
    let content = html! {
        p { "You are " strong { (account) } "." }
        form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
    };
    page(StatusCode::OK, &content)
}

/// The style.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// Leads to a provider that can be reached.
pub async fn begin(State(Partner(partner)): State<Partner>, Path(way): Path<Way>) -> Response {
    let (url, pending) = match partner.provider(way).begin().await {
        Ok(begun) => begun,
        Err(error) => return told(&error),
    };
    let cookie = browser::set(&partner.base_url, Name::Away, Some(&pending.state));
    partner.sessions.leave(way, pending, partner.now());
    let mut response = see_other(url.as_str());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Takes whoever comes back from a provider.
pub async fn finish(
    State(Partner(partner)): State<Partner>,
    Path(way): Path<Way>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    let state = back.state.clone().unwrap_or_default();
    // Only the browser that went there comes back: nobody is signed in as somebody else by following a link.
    let same =
        browser::sent(&partner.base_url, &headers, Name::Away).is_some_and(|own| own == state);
    let pending = partner.sessions.back(&state, partner.now());
    let pending = pending.filter(|(went, _)| same && *went == way);
    let Some((_, pending)) = pending else {
        return told(&SignInError::Foreign("this browser did not begin it"));
    };
    let subject = match partner.provider(way).finish(pending, back).await {
        Ok(subject) => subject,
        Err(error) => return told(&error),
    };
    match partner.accounts.linked(way, &subject) {
        Some(account) => partner.welcome(&account.name),
        None => ways(
            StatusCode::FORBIDDEN,
            Some("No account here is linked to you there."),
        ),
    }
}

fn told(error: &SignInError) -> Response {
    tracing::info!(%error, "somebody was not signed in");
    let (status, text) = match error {
        SignInError::Lost(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This provider cannot be reached at the moment. Take another way.",
        ),
        SignInError::Refused(_) => (StatusCode::FORBIDDEN, "The provider did not sign you in."),
        SignInError::Foreign(_) => (StatusCode::BAD_REQUEST, "This did not work. Begin again."),
    };
    ways(status, Some(text))
}

/// Signs in with a password of the service's own.
pub async fn with_password(
    State(Partner(partner)): State<Partner>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let Ok(typed) = serde_urlencoded::from_str::<Typed>(&body) else {
        return ways(StatusCode::BAD_REQUEST, Some("The form is not whole."));
    };
    if !browser::is_own_form(&partner.base_url, &headers) {
        return ways(StatusCode::FORBIDDEN, Some("The form came from elsewhere."));
    }
    let verified = partner.passwords.verify(&typed.name, typed.password).await;
    match verified {
        Ok(()) => partner.welcome(&typed.name),
        Err(error) => {
            let status = match error {
                PasswordError::Wrong => StatusCode::FORBIDDEN,
                PasswordError::Busy | PasswordError::Lost => StatusCode::SERVICE_UNAVAILABLE,
            };
            ways(status, Some(&error.to_string()))
        }
    }
}

/// Signs out of the service.
pub async fn sign_out(State(Partner(partner)): State<Partner>, headers: HeaderMap) -> Response {
    if !browser::is_own_form(&partner.base_url, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(token) = browser::sent(&partner.base_url, &headers, Name::SignedIn) {
        partner.sessions.end(&token);
    }
    let mut response = see_other("/");
    let cookie = browser::set(&partner.base_url, Name::SignedIn, None);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// For programs with an access token of Bongsu's: who they are here.
pub async fn me(
    State(Partner(partner)): State<Partner>,
    Extension(verified): Extension<Verified>,
) -> Response {
    match partner.accounts.linked(Way::Bongsu, &verified.claims.sub) {
        Some(account) => Json(Me {
            account: account.name.clone(),
            stale: verified.stale,
        })
        .into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}
