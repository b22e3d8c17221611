//! `/oauth2/logout`: a client leads people here to sign out (OpenID Connect RP-Initiated Logout 1.0). The person is asked, unless
//! the client shows an ID token of this very browser.

use super::form;
use crate::http::pages::{Desk, ask_sign_out, end_sign_out, signed_in_cookie, wrong_form};
use crate::provider::Provider;
use crate::provider::tokens::IdClaims;
use crate::query;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use url::Url;

/// What a client asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    id_token_hint: Option<String>,
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
    ui_locales: Option<String>,
}

/// A request that means something.
pub struct Ending {
    /// The ID token that the client showed.
    hint: Option<IdClaims>,
    redirect_uri: Option<String>,
    state: Option<String>,
    /// The languages that the person reads.
    pub ui_locales: Option<String>,
}

impl Ending {
    /// Reads a request; the error says what is wrong with it.
    pub async fn read(provider: &Provider, text: &str) -> Result<Self, String> {
        let params: Params = form::parse(text).map_err(|error| error.to_string())?;
        let hint = match &params.id_token_hint {
            None => None,
            Some(token) => {
                let found = provider.hinted(token).await;
                let found = found.map_err(|error| error.to_string())?;
                Some(found.ok_or("id_token_hint is no ID token of ours")?)
            }
        };
        let hinted = hint.as_ref().map(|claims| claims.aud.to_string());
        if let (Some(hinted), Some(said)) = (&hinted, &params.client_id)
            && hinted != said
        {
            return Err("client_id is not the client of the ID token".to_owned());
        }
        if let Some(uri) = &params.post_logout_redirect_uri {
            let id = hinted.or(params.client_id).unwrap_or_default();
            let client = match id.parse() {
                Ok(id) => provider
                    .client(&id)
                    .await
                    .map_err(|error| error.to_string())?,
                Err(_) => None,
            };
            if !client.is_some_and(|client| client.takes_after_logout(uri)) {
                return Err(
                    "post_logout_redirect_uri is not one that the client registered".into(),
                );
            }
        }
        Ok(Self {
            hint,
            redirect_uri: params.post_logout_redirect_uri,
            state: params.state,
            ui_locales: params.ui_locales,
        })
    }

    /// Where the person is led in the end.
    pub fn leads_to(&self) -> Option<String> {
        let mut url = Url::parse(self.redirect_uri.as_deref()?).ok()?;
        if let Some(state) = &self.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        Some(url.into())
    }
}

/// Where clients lead people to sign out.
#[utoipa::path(get, path = "/oauth2/logout", tag = "sign-in",
    responses((status = 200, content_type = "text/html", body = String), (status = 303)))]
pub async fn get(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    answer(&provider, &headers, &query.unwrap_or_default()).await
}

/// Where clients lead people to sign out, with a form.
#[utoipa::path(post, path = "/oauth2/logout", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, content_type = "text/html", body = String), (status = 303)))]
pub async fn post(
    State(provider): State<Provider>,
    request: Request,
) -> Result<Response, Response> {
    let headers = request.headers().clone();
    let text = form::body(request).await;
    let text = text.map_err(|error| wrong_form(&headers, &error))?;
    answer(&provider, &headers, &text).await
}

/// What is wrong, on a page: nobody is sent to an address that is not known to be the client's.
pub fn refused(desk: &Desk<'_>, why: String) -> Response {
    desk.error(StatusCode::BAD_REQUEST, desk.words.error_back, Some(&why))
}

async fn answer(
    provider: &Provider,
    headers: &HeaderMap,
    text: &str,
) -> Result<Response, Response> {
    let ending = Ending::read(provider, text).await;
    let locales = ending
        .as_ref()
        .ok()
        .and_then(|one| one.ui_locales.as_deref());
    let desk = Desk::new(provider, headers, locales).await?;
    let ending = ending.map_err(|why| refused(&desk, why))?;
    let leads_to = ending.leads_to();
    let now = provider.now();
    let browser = match signed_in_cookie(provider, headers) {
        None => None,
        Some(cookie) => provider
            .accounts()
            .read(|view| query::browser(view, &cookie, now))
            .await
            .map_err(|error| refused(&desk, error.to_string()))?,
    };
    let sid = ending.hint.as_ref().and_then(|hint| hint.sid.as_deref());
    let known = match &browser {
        // Nobody is signed in: there is nothing to ask.
        None => true,
        Some(browser) => sid == Some(browser.device.as_str()),
    };
    if known {
        end_sign_out(&desk, leads_to.as_deref()).await
    } else {
        ask_sign_out(&desk, text, leads_to.as_deref())
    }
}
