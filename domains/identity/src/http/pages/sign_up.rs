//! Making an account.

use super::form::PageForm;
use super::sign_in::{go_on, locales, new_browser, refused};
use super::{Desk, Next, Words, render, with_cookie};
use crate::command::Accepted;
use crate::command::oauth::{Oauth, SignUpBrowser};
use crate::config::Registration;
use crate::http::address::Address;
use crate::http::oauth::form;
use crate::http::register::same;
use crate::provider::Provider;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bongsu_lane::Priority;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// The shortest password, in characters.
const SHORTEST: usize = 8;

#[derive(Template)]
#[template(path = "sign_up.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    next: &'a str,
    app: Option<&'a str>,
    name: &'a str,
    wrong: Option<&'a str>,
    /// Whether a registration token is needed.
    token: bool,
}

/// What the person typed.
#[derive(Debug, Deserialize)]
pub struct SignUpForm {
    seal: Option<String>,
    next: Option<String>,
    name: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Query {
    next: Option<String>,
}

/// Asks who the person wants to be.
pub fn ask(
    desk: &Desk<'_>,
    next: &Next,
    (app, name): (Option<&str>, Option<&str>),
    wrong: Option<(StatusCode, &str)>,
) -> Result<Response, Response> {
    let registration = &desk.provider.accounts().config().registration;
    if *registration == Registration::Closed {
        return Ok(desk.error(StatusCode::FORBIDDEN, desk.words.closed, None));
    }
    let seal = desk.seal()?;
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        next: &next.text(),
        app,
        name: name.unwrap_or_default(),
        wrong: wrong.map(|(_, text)| text),
        token: matches!(registration, Registration::Token(_)),
    };
    let status = wrong.map_or(StatusCode::OK, |(status, _)| status);
    let leads_to = desk.leads_to(next);
    let page = render(status, &page, leads_to.as_deref());
    Ok(with_cookie(page, seal.cookie))
}

/// The page on which accounts are made.
#[utoipa::path(get, path = "/account/sign-up", tag = "sign-in",
    responses((status = 200, content_type = "text/html", body = String)))]
pub async fn show(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let query: Query = form::parse(&query.unwrap_or_default()).unwrap_or_default();
    let next = Next::parse(query.next.as_deref().unwrap_or_default());
    let desk = Desk::new(&provider, &headers, locales(&next)).await?;
    ask(&desk, &next, (None, None), None)
}

/// Make an account with the form of that page.
#[utoipa::path(post, path = "/account/sign-up", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 403, content_type = "text/html", body = String)))]
pub async fn sign_up(
    State(provider): State<Provider>,
    Address(address): Address,
    headers: HeaderMap,
    PageForm(form): PageForm<SignUpForm>,
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
    match &provider.accounts().config().registration {
        Registration::Closed => {
            return Ok(desk.error(StatusCode::FORBIDDEN, desk.words.closed, None));
        }
        Registration::Token(expected) => {
            if !same(form.token.as_deref().unwrap_or_default(), expected) {
                return again(StatusCode::FORBIDDEN, desk.words.token_wrong);
            }
        }
        Registration::Open => {}
    }
    let password = form.password.unwrap_or_default();
    if password.chars().count() < SHORTEST {
        return again(StatusCode::BAD_REQUEST, desk.words.password_short);
    }
    let accounts = provider.accounts();
    let user = match accounts.new_user(&name.trim().to_ascii_lowercase()) {
        Ok(user) => user,
        Err(error) => return refused(&desk, &error, again),
    };
    let password = match accounts.hash(&password).await {
        Ok(password) => password,
        Err(error) => return refused(&desk, &error, again),
    };
    let (token, browser) = new_browser(&desk, address);
    let command = Oauth::SignUpBrowser(SignUpBrowser {
        user,
        password,
        browser,
    });
    match provider.ask(Priority::Normal, command).await {
        Ok(Accepted::Done) => go_on(&desk, next, &token),
        Ok(_) => again(StatusCode::SERVICE_UNAVAILABLE, desk.words.busy),
        Err(error) => refused(&desk, &error, again),
    }
}
