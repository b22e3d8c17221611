//! Signing in with a password.

use super::form::PageForm;
use super::next::{Asked, Fresh};
use super::{Desk, Next, Words, cookies, render, see_other, with_cookie};
use crate::accounts::AccountError;
use crate::command::oauth::{NewBrowser, Oauth, SignInBrowser};
use crate::command::{Accepted, Denial, Rejected};
use crate::config::Registration;
use crate::http::address::Address;
use crate::provider::Provider;
use crate::secret::Token;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bongsu_base::Millis;
use bongsu_lane::Priority;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

/// How long it counts as fresh that somebody signed in.
const FRESH: Millis = Millis::minutes(5);
/// What that is sealed for.
pub const PURPOSE: &str = "fresh sign-in";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    next: &'a str,
    /// The client for which the person signs in.
    app: Option<&'a str>,
    name: &'a str,
    wrong: Option<&'a str>,
    /// Whether accounts can be made.
    open: bool,
}

/// What the person typed.
#[derive(Debug, Deserialize)]
pub struct SignInForm {
    seal: Option<String>,
    next: Option<String>,
    name: Option<String>,
    password: Option<String>,
}

/// Asks who the person is.
pub fn ask(
    desk: &Desk<'_>,
    next: &Next,
    (app, name): (Option<&str>, Option<&str>),
    wrong: Option<(StatusCode, &str)>,
) -> Result<Response, Response> {
    let seal = desk.seal()?;
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        next: &next.text(),
        app,
        name: name.unwrap_or_default(),
        wrong: wrong.map(|(_, text)| text),
        open: desk.provider.accounts().config().registration != Registration::Closed,
    };
    let status = wrong.map_or(StatusCode::OK, |(status, _)| status);
    let leads_to = desk.leads_to(next);
    let page = render(status, &page, leads_to.as_deref());
    Ok(with_cookie(page, seal.cookie))
}

/// Sign in with the form of the sign-in page.
#[utoipa::path(post, path = "/account/sign-in", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 403, content_type = "text/html", body = String)))]
pub async fn sign_in(
    State(provider): State<Provider>,
    Address(address): Address,
    headers: HeaderMap,
    PageForm(form): PageForm<SignInForm>,
) -> Result<Response, Response> {
    let next = Next::parse(form.next.as_deref().unwrap_or_default());
    let desk = Desk::new(&provider, &headers, locales(&next)).await?;
    let name = form.name.unwrap_or_default();
    let app = desk.app(&next).await;
    let who = (app.as_deref(), Some(name.as_str()));
    let again = |status, text: &str| ask(&desk, &next, who, Some((status, text)));
    if !desk.is_ours(form.seal.as_deref()) {
        return again(StatusCode::FORBIDDEN, desk.words.form_expired);
    }
    let wrong = (StatusCode::FORBIDDEN, desk.words.wrong_password);
    let Some(user) = provider.accounts().meant(&name) else {
        return again(wrong.0, wrong.1);
    };
    let password = form.password.unwrap_or_default();
    let proof = match provider.accounts().prove(&user, password, &address).await {
        Ok(proof) => proof,
        Err(error) => return refused(&desk, &error, again),
    };
    let (token, browser) = new_browser(&desk, address);
    let command = Oauth::SignInAgain(SignInBrowser {
        user,
        proof,
        browser,
    });
    match provider.ask(Priority::Normal, command).await {
        Ok(Accepted::Done) => go_on(&desk, next, &token),
        Ok(Accepted::Denied(Denial::Locked { retry_after })) => {
            refused(&desk, &AccountError::Locked { retry_after }, again)
        }
        Ok(_) => again(wrong.0, wrong.1),
        Err(error) => refused(&desk, &error, again),
    }
}

/// What stood in the way, on the page where the person is.
pub fn refused(
    desk: &Desk<'_>,
    error: &AccountError,
    again: impl FnOnce(StatusCode, &str) -> Result<Response, Response>,
) -> Result<Response, Response> {
    let words = desk.words;
    let (status, text) = match error {
        AccountError::Locked { .. } => (StatusCode::TOO_MANY_REQUESTS, words.locked_out),
        AccountError::Rejected(Rejected::Locked) => (StatusCode::FORBIDDEN, words.account_locked),
        AccountError::Rejected(Rejected::UserInUse) => (StatusCode::CONFLICT, words.name_taken),
        AccountError::NameCharacters | AccountError::Name(_) => {
            (StatusCode::BAD_REQUEST, words.name_wrong)
        }
        AccountError::Password => (StatusCode::BAD_REQUEST, words.password_short),
        AccountError::Busy => (StatusCode::TOO_MANY_REQUESTS, words.busy),
        AccountError::Rejected(_) => (StatusCode::FORBIDDEN, words.form_expired),
        AccountError::Submit(_) | AccountError::Read(_) | AccountError::Defect => {
            tracing::warn!(%error, "somebody could not sign in");
            (StatusCode::SERVICE_UNAVAILABLE, words.busy)
        }
    };
    let mut response = again(status, text)?;
    if matches!(status.as_u16(), 429 | 503) {
        let headers = response.headers_mut();
        let seconds = match error {
            // Up to the next whole one: a moment before would be in vain.
            AccountError::Locked { retry_after } => (retry_after.0 + 999) / 1000,
            _ => 5,
        };
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The languages that the client of the request says.
pub fn locales(next: &Next) -> Option<&str> {
    match next {
        Next::Authorize(asked) => asked.params.ui_locales.as_deref(),
        Next::Device(_) | Next::Account(_) => None,
    }
}

/// A browser in which somebody signs in, and its cookie.
pub fn new_browser(desk: &Desk<'_>, address: String) -> (Token, NewBrowser) {
    let provider = desk.provider;
    let token = Token::fresh(provider.accounts().lane());
    let browser = NewBrowser {
        cookie: token.hash(),
        device: provider.accounts().new_device(),
        name: name_of(desk.headers),
        address,
        lasts: provider.config().browser,
        before: cookies::signed_in(provider, desk.headers),
    };
    (token, browser)
}

/// Leads on whoever has just signed in.
pub fn go_on(desk: &Desk<'_>, next: Next, token: &Token) -> Result<Response, Response> {
    let next = match next {
        Next::Authorize(asked) => {
            let fresh = Fresh {
                cookie: token.hash(),
                request: asked.digest(),
            };
            let sealed = desk.provider.enclose(&desk.keys, (PURPOSE, FRESH), &fresh);
            Next::Authorize(Box::new(Asked {
                fresh: sealed,
                ..*asked
            }))
        }
        other => other,
    };
    let cookie = cookies::sign_in(desk.provider, token);
    Ok(with_cookie(see_other(&next.path()), Some(cookie)))
}

/// What a browser is called among the devices.
fn name_of(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let first = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Whale/", "Whale"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} ({system})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Browser".to_owned(),
    }
}
