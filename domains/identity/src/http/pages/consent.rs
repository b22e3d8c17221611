//! Asking whether a client may learn of the person.

use super::form::PageForm;
use super::next::Asked;
use super::{Desk, Next, Words, origin, render, with_cookie};
use crate::command::oauth::Consent;
use crate::http::oauth::authorize::Flow;
use crate::provider::Provider;
use crate::provider::scope::{Scope, Scopes};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "consent.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    next: &'a str,
    app: &'a str,
    /// The app's own page.
    page: Option<&'a str>,
    user: &'a str,
    wants: Vec<Want>,
    sends: &'a str,
    /// Whether the answer can be remembered.
    remember: bool,
}

/// One thing that a client wants.
pub struct Want {
    pub text: &'static str,
    pub detail: Option<String>,
}

/// What the person answered.
#[derive(Debug, Deserialize)]
pub struct ConsentForm {
    seal: Option<String>,
    next: Option<String>,
    answer: Option<Answer>,
    remember: Option<String>,
}

/// Which button was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Allow,
    Deny,
    Other,
}

/// What scopes mean, for a person.
pub fn wants(words: &'static Words, scopes: &Scopes) -> Vec<Want> {
    let want = |scope: &Scope| {
        let (text, detail) = match scope {
            Scope::OpenId => (words.scope_openid, None),
            Scope::Profile => (words.scope_profile, None),
            Scope::OfflineAccess => (words.scope_offline, None),
            Scope::MatrixApi(_) => (words.scope_matrix, None),
            Scope::MatrixDevice(_, device) => (words.scope_device, Some(device.to_string())),
            Scope::Other(name) => (words.scope_other, Some(name.clone())),
        };
        Want { text, detail }
    };
    scopes.iter().map(want).collect()
}

/// Asks.
pub fn ask(flow: &Flow<'_>) -> Result<Response, Response> {
    let desk = flow.desk;
    let seal = desk.seal()?;
    let (_, browser) = flow
        .browser
        .as_ref()
        .ok_or_else(|| desk.error(StatusCode::FORBIDDEN, desk.words.form_expired, None))?;
    let sends = origin(&flow.request.reply.uri).unwrap_or_default();
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        next: &Next::Authorize(Box::new(flow.asked.clone())).text(),
        app: flow.client.name(),
        page: flow.client.metadata.client_uri.as_deref(),
        user: browser.user.as_str(),
        wants: wants(desk.words, &flow.request.scopes),
        sends: &sends,
        remember: !flow.is_impersonable(),
    };
    let page = render(StatusCode::OK, &page, Some(&sends));
    Ok(with_cookie(page, seal.cookie))
}

/// Answer with the form of the consent page.
#[utoipa::path(post, path = "/account/consent", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 403, content_type = "text/html", body = String)))]
pub async fn decide(
    State(provider): State<Provider>,
    headers: HeaderMap,
    PageForm(form): PageForm<ConsentForm>,
) -> Result<Response, Response> {
    let next = Next::parse(form.next.as_deref().unwrap_or_default());
    let locales = super::sign_in::locales(&next);
    let desk = Desk::new(&provider, &headers, locales).await?;
    let expired = || desk.error(StatusCode::FORBIDDEN, desk.words.form_expired, None);
    let Next::Authorize(asked) = next.clone() else {
        return Err(expired());
    };
    if !desk.is_ours(form.seal.as_deref()) {
        return Err(expired());
    }
    if form.answer == Some(Answer::Other) {
        let bare = Asked {
            fresh: None,
            ..*asked
        };
        let next = Next::Authorize(Box::new(bare));
        return super::ask_sign_in(&desk, &next, (None, None), None);
    }
    // Everything is looked at again: what is allowed is what is asked now, by whoever is signed in now.
    let flow = Flow::load(&desk, *asked).await?;
    match form.answer {
        Some(Answer::Allow) if flow.may_decide() => {
            let remember = form.remember.is_some() && !flow.is_impersonable();
            flow.grant(Consent::Now { remember }).await
        }
        Some(Answer::Deny) => Ok(flow.turn_away()),
        _ => Err(expired()),
    }
}
