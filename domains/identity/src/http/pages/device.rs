//! Letting in a device that has no browser (RFC 8628, section 3.3). The person sees which app it is and confirms the code, also
//! when it came with the address (section 5.4).

use super::consent::{Answer, Want, wants};
use super::form::PageForm;
use super::{Desk, Next, Words, ask_sign_in, cookies, render, with_cookie};
use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::{DecideDevice, Oauth, Refused};
use crate::http::oauth::form;
use crate::provider::Provider;
use crate::provider::scope::Scopes;
use crate::query;
use crate::secret::TokenHash;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bongsu_base::UserId;
use bongsu_lane::Priority;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "device.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    user: &'a str,
    code: &'a str,
    wrong: Option<&'a str>,
    /// What came of it.
    done: Option<&'a str>,
    /// The device that is asked about.
    asked: Option<Asked>,
}

struct Asked {
    app: String,
    wants: Vec<Want>,
}

#[derive(Debug, Default, Deserialize)]
struct Query {
    user_code: Option<String>,
}

/// What the person typed and answered.
#[derive(Debug, Deserialize)]
pub struct DeviceForm {
    seal: Option<String>,
    user_code: Option<String>,
    answer: Option<Answer>,
}

/// What a person typed as it is kept: in capital letters, without what is put between them.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphabetic);
    letters.take(16).collect::<String>().to_ascii_uppercase()
}

/// The page on which devices are let in.
#[utoipa::path(get, path = "/account/device", tag = "sign-in",
    responses((status = 200, content_type = "text/html", body = String)))]
pub async fn show(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let query: Query = form::parse(&query.unwrap_or_default()).unwrap_or_default();
    let desk = Desk::new(&provider, &headers, None).await?;
    let Some((_, user)) = signed_in(&desk).await? else {
        return ask_sign_in(&desk, &Next::Device(query.user_code), (None, None), None);
    };
    let code = query.user_code.unwrap_or_default();
    page(&desk, &user, &code, (StatusCode::OK, None)).await
}

/// Answer with the form of that page.
#[utoipa::path(post, path = "/account/device", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, content_type = "text/html", body = String)))]
pub async fn decide(
    State(provider): State<Provider>,
    headers: HeaderMap,
    PageForm(form): PageForm<DeviceForm>,
) -> Result<Response, Response> {
    let desk = Desk::new(&provider, &headers, None).await?;
    let code = form.user_code.unwrap_or_default();
    let Some((cookie, user)) = signed_in(&desk).await? else {
        return ask_sign_in(&desk, &Next::Device(Some(code)), (None, None), None);
    };
    if !desk.is_ours(form.seal.as_deref()) {
        let wrong = (StatusCode::FORBIDDEN, Some(desk.words.form_expired));
        return page(&desk, &user, &code, wrong).await;
    }
    let Some(answer @ (Answer::Allow | Answer::Deny)) = form.answer else {
        return page(&desk, &user, &code, (StatusCode::OK, None)).await;
    };
    let admit = answer == Answer::Allow;
    let command = Oauth::DecideDevice(DecideDevice {
        cookie,
        user_code: plain(&code),
        admit,
    });
    let words = desk.words;
    let told = match provider.ask(Priority::Normal, command).await {
        Ok(_) if admit => words.device_admitted,
        Ok(_) => words.device_turned_away,
        Err(AccountError::Rejected(Rejected::Oauth(Refused::NoSuchUserCode))) => {
            let wrong = (StatusCode::NOT_FOUND, Some(words.device_unknown));
            return page(&desk, &user, "", wrong).await;
        }
        Err(error) => {
            tracing::debug!(%error, "a device was not answered");
            return Ok(desk.error(StatusCode::SERVICE_UNAVAILABLE, words.busy, None));
        }
    };
    let page = Page {
        w: words,
        seal: "",
        user: user.as_str(),
        code: "",
        wrong: None,
        done: Some(told),
        asked: None,
    };
    Ok(render(StatusCode::OK, &page, None))
}

/// Who is signed in.
pub async fn signed_in(desk: &Desk<'_>) -> Result<Option<(TokenHash, UserId)>, Response> {
    let provider = desk.provider;
    let Some(cookie) = cookies::signed_in(provider, desk.headers) else {
        return Ok(None);
    };
    let now = provider.now();
    let found = provider
        .accounts()
        .read(|view| query::browser(view, &cookie, now))
        .await;
    let found = found.map_err(|error| {
        tracing::warn!(%error, "it cannot be seen who is signed in");
        desk.error(StatusCode::SERVICE_UNAVAILABLE, desk.words.busy, None)
    })?;
    Ok(found.map(|browser| (cookie, browser.user)))
}

async fn page(
    desk: &Desk<'_>,
    user: &UserId,
    code: &str,
    (status, wrong): (StatusCode, Option<&str>),
) -> Result<Response, Response> {
    let asked = match plain(code) {
        code if code.is_empty() => None,
        code => waiting(desk, user, &code).await?,
    };
    let unknown = wrong.is_none() && asked.is_none() && !code.is_empty();
    let status = if unknown {
        StatusCode::NOT_FOUND
    } else {
        status
    };
    let seal = desk.seal()?;
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        user: user.as_str(),
        code,
        wrong: wrong.or(unknown.then_some(desk.words.device_unknown)),
        done: None,
        asked,
    };
    Ok(with_cookie(render(status, &page, None), seal.cookie))
}

/// The device with this code, if one waits. Somebody who tries many codes finds none.
async fn waiting(desk: &Desk<'_>, user: &UserId, code: &str) -> Result<Option<Asked>, Response> {
    let provider = desk.provider;
    let busy = || desk.error(StatusCode::TOO_MANY_REQUESTS, desk.words.busy, None);
    if !provider.may_try(user) {
        return Err(busy());
    }
    let found = provider
        .accounts()
        .read(|view| query::waiting_device(view, code))
        .await
        .map_err(|_| busy())?;
    let found = found.filter(|device| device.until > provider.now());
    let Some(device) = found else {
        return Ok(None);
    };
    provider.tried_well(user);
    let client = provider.client(&device.client).await.map_err(|_| busy())?;
    let scopes = Scopes::parse(&device.scope).unwrap_or_default();
    Ok(client.map(|client| Asked {
        app: client.name().to_owned(),
        wants: wants(desk.words, &scopes),
    }))
}
