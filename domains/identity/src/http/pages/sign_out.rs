//! Signing out of a browser.

use super::form::PageForm;
use super::{Desk, Words, cookies, origin, render, see_other, with_cookie};
use crate::command::oauth::{Oauth, SignOutBrowser};
use crate::http::oauth::logout::{self, Ending};
use crate::provider::Provider;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bongsu_lane::Priority;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_out.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    /// The request of the client that led the person here.
    request: &'a str,
    done: bool,
}

/// The form of the page.
#[derive(Debug, Deserialize)]
pub struct SignOutForm {
    seal: Option<String>,
    request: Option<String>,
}

/// Asks whether the person wants to sign out. `request` is that of the client that led them here, as it came.
pub fn ask(desk: &Desk<'_>, request: &str, leads_to: Option<&str>) -> Result<Response, Response> {
    let seal = desk.seal()?;
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        request,
        done: false,
    };
    let origin = leads_to.and_then(origin);
    let page = render(StatusCode::OK, &page, origin.as_deref());
    Ok(with_cookie(page, seal.cookie))
}

/// Sign out with the form of that page, or of the account's.
#[utoipa::path(post, path = "/account/sign-out", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, content_type = "text/html", body = String), (status = 303)))]
pub async fn sign_out(
    State(provider): State<Provider>,
    headers: HeaderMap,
    PageForm(form): PageForm<SignOutForm>,
) -> Result<Response, Response> {
    let request = form.request.unwrap_or_default();
    let ending = Ending::read(&provider, &request).await;
    let locales = ending
        .as_ref()
        .ok()
        .and_then(|one| one.ui_locales.as_deref());
    let desk = Desk::new(&provider, &headers, locales).await?;
    if !desk.is_ours(form.seal.as_deref()) {
        return Err(desk.error(StatusCode::FORBIDDEN, desk.words.form_expired, None));
    }
    let ending = ending.map_err(|why| logout::refused(&desk, why))?;
    end(&desk, ending.leads_to().as_deref()).await
}

/// Signs out of the browser, and leads on.
pub async fn end(desk: &Desk<'_>, leads_to: Option<&str>) -> Result<Response, Response> {
    let provider = desk.provider;
    if let Some(cookie) = cookies::signed_in(provider, desk.headers) {
        let command = Oauth::SignOutBrowser(SignOutBrowser { cookie });
        let done = provider.ask(Priority::Vital, command).await;
        done.map_err(|error| {
            tracing::warn!(%error, "somebody could not sign out");
            desk.error(StatusCode::SERVICE_UNAVAILABLE, desk.words.busy, None)
        })?;
    }
    let response = match leads_to {
        Some(uri) => see_other(uri),
        None => {
            let page = Page {
                w: desk.words,
                seal: "",
                request: "",
                done: true,
            };
            render(StatusCode::OK, &page, None)
        }
    };
    Ok(with_cookie(response, Some(cookies::sign_out(provider))))
}
