//! One's own account: where one is signed in, and which apps one let in.

use super::device::signed_in;
use super::form::PageForm;
use super::{Action, Desk, Managing, Next, Words, ask_sign_in, render, see_other, with_cookie};
use crate::command::oauth::{EndSession, ForgetConsent, Oauth};
use crate::provider::Provider;
use crate::query;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bongsu_base::UserId;
use bongsu_lane::Priority;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    w: &'static Words,
    seal: &'a str,
    user: &'a str,
    sessions: Vec<Session>,
    apps: Vec<App>,
    /// Whether it is about one session alone.
    one: bool,
    /// Whether that is to be ended.
    end: bool,
}

struct Session {
    device: String,
    name: String,
    seen: String,
    from: String,
    here: bool,
}

struct App {
    client: String,
    name: String,
}

/// Which session is to end.
#[derive(Debug, Deserialize)]
pub struct EndForm {
    seal: Option<String>,
    device: Option<String>,
}

/// What is to be taken back.
#[derive(Debug, Deserialize)]
pub struct ForgetForm {
    seal: Option<String>,
    client: Option<String>,
}

/// The page with one's sessions, or with the one that a messenger asks about.
#[utoipa::path(get, path = "/account", tag = "sign-in",
    responses((status = 200, content_type = "text/html", body = String)))]
pub async fn show(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let desk = Desk::new(&provider, &headers, None).await?;
    let managing = Managing::parse(&query.unwrap_or_default());
    let Some((cookie, user)) = signed_in(&desk).await? else {
        return ask_sign_in(&desk, &Next::Account(managing), (None, None), None);
    };
    let busy = || desk.error(StatusCode::SERVICE_UNAVAILABLE, desk.words.busy, None);
    let now = provider.now();
    let look = provider.accounts().read(|view| {
        let here = query::browser(view, &cookie, now)?.map(|browser| browser.device);
        let devices = query::devices(view, &user)?;
        Ok((here, devices, query::consents(view, &user)?))
    });
    let (here, devices, consents) = look.await.map_err(|_| busy())?;
    let meant = |device: &&query::Device| managing.device() == Some(device.device.as_str());
    let found: Vec<query::Device> = devices.iter().filter(meant).cloned().collect();
    let one = !found.is_empty();
    let shown = if one { found } else { devices };
    let sessions = shown.into_iter().map(|device| Session {
        here: Some(&device.device) == here.as_ref(),
        name: device
            .display_name
            .unwrap_or_else(|| device.device.to_string()),
        seen: minute(device.seen.0),
        from: device.seen_from,
        device: device.device.to_string(),
    });
    let mut apps = Vec::new();
    for consent in consents {
        let client = provider.client(&consent.client).await.map_err(|_| busy())?;
        apps.push(App {
            name: client.map_or_else(|| consent.client.to_string(), |one| one.name().to_owned()),
            client: consent.client.to_string(),
        });
    }
    let seal = desk.seal()?;
    let page = Page {
        w: desk.words,
        seal: &seal.text,
        user: user.as_str(),
        sessions: sessions.collect(),
        apps,
        one,
        end: managing.action == Some(Action::End),
    };
    Ok(with_cookie(
        render(StatusCode::OK, &page, None),
        seal.cookie,
    ))
}

/// A time of day in UTC, to the minute.
fn minute(ms: i64) -> String {
    let at = cookie::time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000));
    at.map_or_else(
        |_| String::new(),
        |at| {
            let (date, time) = (at.date(), at.time());
            format!("{date} {:02}:{:02} UTC", time.hour(), time.minute())
        },
    )
}

/// End one of one's sessions.
#[utoipa::path(post, path = "/account/sessions/end", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 403, content_type = "text/html", body = String)))]
pub async fn end_session(
    State(provider): State<Provider>,
    headers: HeaderMap,
    PageForm(form): PageForm<EndForm>,
) -> Result<Response, Response> {
    let desk = Desk::new(&provider, &headers, None).await?;
    let (cookie, _) = allowed(&desk, form.seal.as_deref()).await?;
    let device = form.device.as_deref().unwrap_or_default().parse();
    if let Ok(device) = device {
        act(&desk, Oauth::EndSession(EndSession { cookie, device })).await?;
    }
    Ok(see_other("/account"))
}

/// Take back what one let an app have.
#[utoipa::path(post, path = "/account/apps/forget", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 403, content_type = "text/html", body = String)))]
pub async fn forget_consent(
    State(provider): State<Provider>,
    headers: HeaderMap,
    PageForm(form): PageForm<ForgetForm>,
) -> Result<Response, Response> {
    let desk = Desk::new(&provider, &headers, None).await?;
    let (cookie, _) = allowed(&desk, form.seal.as_deref()).await?;
    let client = form.client.as_deref().unwrap_or_default().parse();
    if let Ok(client) = client {
        act(
            &desk,
            Oauth::ForgetConsent(ForgetConsent { cookie, client }),
        )
        .await?;
    }
    Ok(see_other("/account"))
}

/// Who is signed in, if the form came from here.
async fn allowed(
    desk: &Desk<'_>,
    seal: Option<&str>,
) -> Result<(crate::secret::TokenHash, UserId), Response> {
    if !desk.is_ours(seal) {
        return Err(desk.error(StatusCode::FORBIDDEN, desk.words.form_expired, None));
    }
    let found = signed_in(desk).await?;
    found.ok_or_else(|| see_other("/account"))
}

async fn act(desk: &Desk<'_>, command: Oauth) -> Result<(), Response> {
    use crate::accounts::AccountError;
    match desk.provider.ask(Priority::Vital, command).await {
        // What is gone already needs no end.
        Ok(_) | Err(AccountError::Rejected(_)) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "a session could not be ended");
            Err(desk.error(StatusCode::SERVICE_UNAVAILABLE, desk.words.busy, None))
        }
    }
}
