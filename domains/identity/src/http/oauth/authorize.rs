//! `/oauth2/authorize`: where clients send people (RFC 6749, section 4.1.1). Either somebody is asked something, on a
//! page, or the answer goes back.
//!
//! Until it is known that a redirect URI is the client's own, what is wrong is said on a page of ours; after that, to the client.

use super::error::OauthError;
use super::form;
use super::par;
use super::reply;
use crate::accounts::AccountError;
use crate::command::Rejected;
use crate::command::oauth::{
    Authorize, AuthorizePushed, ClientId, Consent, Granted, Oauth, Refused, Spend,
};
use crate::http::pages::{
    Asked, Desk, Fresh, Next, ask_consent, ask_sign_in, ask_sign_up, see_other, signed_in_cookie,
    wrong_form,
};
use crate::provider::Provider;
use crate::provider::client::Client;
use crate::provider::request::{self, AuthRequest, Params, RequestError};
use crate::provider::tokens::seconds;
use crate::query::{self, Browser};
use crate::secret::{Token, TokenHash};
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use bongsu_lane::{Priority, ReadView};
use http::{HeaderMap, StatusCode};

/// Where it is.
pub const PATH: &str = "/oauth2/authorize";
/// The longest query, in bytes, that whoever stands in between lets through.
const LONGEST_QUERY: usize = 6_000;
/// Why a pushed request that gave a code gives no other.
const USED: &str = "the pushed request was used before; the client has to push another";

/// A client's request and who is there to answer it.
pub struct Flow<'a> {
    pub desk: &'a Desk<'a>,
    pub asked: Asked,
    pub client: Client,
    pub request: AuthRequest,
    /// What uses up the request, if it was pushed.
    pushed: Option<Spend>,
    /// Who is signed in.
    pub browser: Option<(TokenHash, Browser)>,
    /// Whether they have just signed in, for this request.
    pub fresh: bool,
}

/// Where clients send people.
#[utoipa::path(get, path = "/oauth2/authorize", tag = "sign-in",
    responses((status = 200, content_type = "text/html", body = String), (status = 303)))]
pub async fn get(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&provider, &headers, &query.unwrap_or_default()).await
}

/// Where clients send people, with a form.
#[utoipa::path(post, path = "/oauth2/authorize", tag = "sign-in",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, content_type = "text/html", body = String), (status = 303)))]
pub async fn post(State(provider): State<Provider>, request: Request) -> Response {
    let headers = request.headers().clone();
    match form::body(request).await {
        // Browsers send the cookie along when they are led, and not with a form of another site.
        Ok(text) if is_query(&text) => see_other(&format!("{PATH}?{text}")),
        Ok(text) => answer(&provider, &headers, &text).await,
        Err(error) => wrong_form(&headers, &error),
    }
}

/// Whether a form can be the query of an address.
fn is_query(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    text.len() <= LONGEST_QUERY && text.bytes().all(plain)
}

async fn answer(provider: &Provider, headers: &HeaderMap, text: &str) -> Response {
    let asked: Result<Asked, _> = form::parse(text);
    let locales = asked.as_ref().ok();
    let locales = locales.and_then(|asked| asked.params.ui_locales.clone());
    let desk = match Desk::new(provider, headers, locales.as_deref()).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return refuse_here(&desk, &error.to_string()),
    };
    match Flow::load(&desk, asked).await {
        Ok(flow) => flow.run().await.unwrap_or_else(|response| response),
        Err(response) => response,
    }
}

fn refuse_here(desk: &Desk<'_>, why: &str) -> Response {
    desk.error(StatusCode::BAD_REQUEST, desk.words.error_back, Some(why))
}

impl<'a> Flow<'a> {
    /// Finds out what is asked, and who is there.
    pub async fn load(desk: &'a Desk<'a>, asked: Asked) -> Result<Self, Response> {
        let provider = desk.provider;
        let unavailable = |error: OauthError| error.into_response();
        let here = |why: &str| refuse_here(desk, why);
        let id = asked.params.client_id.as_deref();
        let id = id.ok_or_else(|| here("client_id is missing"))?;
        let id: Result<ClientId, _> = id.parse();
        let id = id.map_err(|_| here("there is no such client"))?;
        let client = provider.client(&id).await;
        let client = client.map_err(|error| unavailable(error.into()))?;
        let client = client.ok_or_else(|| here("there is no such client"))?;
        let params = Self::params(desk, &client, &asked.params).map_err(here)?;
        let pushed = Self::pushed(desk, &asked.params).await?;
        let to = request::reply_to(&params, &client).map_err(here)?;
        let request = request::read(&params, &client, to.clone());
        let request = request.map_err(|(error, why)| reply::refuse(desk, &to, error, why))?;
        let cookie = signed_in_cookie(provider, desk.headers);
        let browser = match cookie {
            None => None,
            Some(cookie) => {
                let now = provider.now();
                let found = provider
                    .accounts()
                    .read(|view| query::browser(view, &cookie, now))
                    .await
                    .map_err(|error| unavailable(error.into()))?;
                found.map(|browser| (cookie, browser))
            }
        };
        let fresh: Option<Fresh> = asked.fresh.as_deref().and_then(|text| {
            provider.disclose(&desk.keys, crate::http::pages::FRESH_PURPOSE, text)
        });
        let cookie = browser.as_ref().map(|(cookie, _)| *cookie);
        let fresh = fresh
            .is_some_and(|fresh| Some(fresh.cookie) == cookie && fresh.request == asked.digest());
        Ok(Self {
            desk,
            asked,
            client,
            request,
            pushed,
            browser,
            fresh,
        })
    }

    /// The request itself: what came, or what was pushed before.
    fn params(desk: &Desk<'_>, client: &Client, came: &Params) -> Result<Params, &'static str> {
        let Some(name) = &came.request_uri else {
            if client.metadata.require_pushed_authorization_requests == Some(true) {
                return Err("this client registered that it pushes its requests");
            }
            return Ok(came.clone());
        };
        if !par::is_name(name) {
            // Refused where the whole request is read, to the client itself.
            return Ok(came.clone());
        }
        let pushed = par::open(desk.provider, &desk.keys, name);
        // What came beside it is not heeded (RFC 9126, section 4).
        let own = pushed.filter(|params| params.client_id.as_deref() == Some(client.id.as_str()));
        own.ok_or("the pushed request is unknown, another client's, or has run out")
    }

    /// What uses up the pushed request that is named, if one is: it gives one code, and can be looked at until then (RFC 9126,
    /// section 4).
    async fn pushed(desk: &Desk<'_>, came: &Params) -> Result<Option<Spend>, Response> {
        let name = came.request_uri.as_deref();
        let Some(name) = name.filter(|name| par::is_name(name)) else {
            return Ok(None);
        };
        let spend = par::use_up(desk.provider, name);
        let look = |view: &ReadView<'_>| query::is_spent(view, &spend.what);
        let used = desk.provider.accounts().read(look).await;
        if used.map_err(|error| OauthError::from(error).into_response())? {
            return Err(refuse_here(desk, USED));
        }
        Ok(Some(spend))
    }

    /// Whether whoever is signed in has to show who they are once more.
    fn needs_sign_in(&self, hinted: Option<&str>) -> bool {
        let Some((_, browser)) = &self.browser else {
            return true;
        };
        let subject = self.request.claims.subject.as_deref();
        let meant = [subject, hinted].into_iter().flatten();
        if meant.into_iter().any(|one| one != browser.user.as_str()) {
            return true;
        }
        if self.fresh {
            return false;
        }
        let age = seconds(self.desk.provider.now()) - seconds(browser.auth_time);
        // With 0 the person is asked within the same second too (OpenID Connect Core 1.0, section 3.1.2.1).
        let old = |max: i64| max == 0 || age > max;
        self.request.prompt.login || self.request.max_age.is_some_and(old)
    }

    /// Asks the person what has to be asked, or answers the client.
    async fn run(self) -> Result<Response, Response> {
        let prompt = self.request.prompt;
        let refuse = |error, why| reply::refuse(self.desk, &self.request.reply, error, why);
        let hinted = match &self.request.id_token_hint {
            None => None,
            Some(hint) => {
                let found = self.desk.provider.hinted(hint).await;
                let found = found.map_err(|error| OauthError::from(error).into_response())?;
                let why = "id_token_hint is no ID token of ours";
                Some(
                    found
                        .ok_or_else(|| refuse(RequestError::InvalidRequest, why))?
                        .sub,
                )
            }
        };
        if self.needs_sign_in(hinted.as_deref()) || prompt.create && !self.fresh {
            if prompt.none {
                let why = "the person has to sign in";
                return Ok(refuse(RequestError::LoginRequired, why));
            }
            let next = Next::Authorize(Box::new(self.asked.clone()));
            let app = (Some(self.client.name()), self.request.login_hint.as_deref());
            return if prompt.create {
                ask_sign_up(self.desk, &next, app, None)
            } else {
                ask_sign_in(self.desk, &next, app, None)
            };
        }
        if self.needs_consent().await? {
            if prompt.none {
                let why = "the person has to be asked";
                return Ok(refuse(RequestError::ConsentRequired, why));
            }
            return ask_consent(&self);
        }
        self.grant(Consent::Earlier).await
    }

    async fn needs_consent(&self) -> Result<bool, Response> {
        if self.client.trusted {
            return Ok(false);
        }
        let Some((_, browser)) = &self.browser else {
            return Ok(true);
        };
        if self.request.prompt.consent || self.is_impersonable() {
            return Ok(true);
        }
        let earlier = self
            .desk
            .provider
            .accounts()
            .read(|view| query::consent(view, &browser.user, &self.client.id))
            .await;
        let earlier = earlier.map_err(|error| OauthError::from(error).into_response())?;
        let scope = self.request.scopes.to_string();
        Ok(!earlier.is_some_and(|earlier| crate::apply::oauth::covers(&earlier, &scope)))
    }

    /// Whether another program on the person's machine could take the client's place: then they see each time that
    /// somebody asks (RFC 8252, section 8.6).
    pub fn is_impersonable(&self) -> bool {
        self.client.is_public() && !self.request.reply.uri.starts_with("https://")
    }

    /// Whether whoever is signed in may answer: they need not show once more who they are.
    pub fn may_decide(&self) -> bool {
        !self.needs_sign_in(None)
    }

    /// Gives the client a code.
    pub async fn grant(&self, consent: Consent) -> Result<Response, Response> {
        let Some((cookie, browser)) = &self.browser else {
            return Err(refuse_here(self.desk, "nobody is signed in"));
        };
        let provider = self.desk.provider;
        let code = Token::fresh(provider.accounts().lane());
        let request = &self.request;
        let granted = Granted {
            client: self.client.id.clone(),
            scope: request.scopes.to_string(),
            redirect_uri: request.reply.uri.clone(),
            challenge: request.challenge,
            nonce: request.nonce.clone(),
            claims: request.claims.kept(),
            jkt: request.jkt,
            device: request.scopes.matrix_device().cloned(),
            auth_time: browser.auth_time,
            browser: None,
        };
        let authorize = Authorize {
            cookie: *cookie,
            code: code.hash(),
            lasts: provider.config().code,
            granted,
            consent,
        };
        let command = match self.pushed.clone() {
            None => Oauth::Authorize(authorize),
            Some(pushed) => Oauth::AuthorizePushed(AuthorizePushed { authorize, pushed }),
        };
        match provider.ask(Priority::Vital, command).await {
            Ok(_) => Ok(reply::answer(
                self.desk,
                &request.reply,
                &[("code", code.reveal())],
            )),
            Err(AccountError::Rejected(Rejected::Oauth(Refused::ConsentNeeded))) => {
                ask_consent(self)
            }
            Err(AccountError::Rejected(Rejected::Oauth(Refused::Spent))) => {
                Err(refuse_here(self.desk, USED))
            }
            Err(error) => {
                tracing::debug!(%error, "a code was not given out");
                let error = match error {
                    AccountError::Rejected(_) => RequestError::AccessDenied,
                    AccountError::Defect => RequestError::ServerError,
                    _ => RequestError::TemporarilyUnavailable,
                };
                let why = "the person cannot be signed in at the moment";
                Ok(reply::refuse(self.desk, &request.reply, error, why))
            }
        }
    }

    /// Tells the client that the person does not want it.
    pub fn turn_away(&self) -> Response {
        let why = "the person does not want it";
        reply::refuse(
            self.desk,
            &self.request.reply,
            RequestError::AccessDenied,
            why,
        )
    }
}
