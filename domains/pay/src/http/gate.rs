//! Who asks, under which key, and what: checked before anything is done.

use super::Api;
use super::problem::Problem;
use crate::id::{Hash, MerchantId};
use crate::query;
use axum::RequestExt;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bongsu_base::UserId;
use bongsu_lane::Actor;
use bongsu_ledger::Start;
use bongsu_web_kit::Caller;
use bongsu_web_kit::json::{NotAsked, object};
use bongsu_web_kit::matrix::bearer;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

/// What every merchant's key begins with.
pub const MERCHANT_KEY: &str = "bgm_";
/// The longest body, in bytes.
const MAX_BODY: usize = 1 << 16;
/// The longest key, in characters.
const MAX_KEY: usize = 255;
/// How many a page has where nobody says, and at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 500;

/// A person who may read what is theirs.
pub struct Reader(pub UserId);

/// A person who may pay.
pub struct Payer {
    /// Who.
    pub user: UserId,
    /// As whom their record is written.
    pub actor: Actor,
}

async fn person(parts: &Parts, api: &Api, scopes: &[&str]) -> Result<Caller, Problem> {
    let token = bearer(&parts.headers);
    let token = token.ok_or_else(|| {
        Problem::anonymous("this needs an access token in the Authorization header")
    })?;
    let caller = api.authenticator.authenticate_for(token, scopes).await?;
    if api.authenticator.standing(&caller.user).await?.guest {
        let detail = "this is for accounts with a password, not for guests";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not-for-guests",
            detail,
        ));
    }
    Ok(caller)
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = person(parts, api, &["pay", "pay:read"]).await?;
        Ok(Self(caller.user))
    }
}

impl FromRequestParts<Api> for Payer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = person(parts, api, &["pay"]).await?;
        Ok(Self {
            actor: caller.actor(),
            user: caller.user,
        })
    }
}

/// A merchant, by its secret key.
pub struct Shop {
    /// Which.
    pub id: MerchantId,
    /// The hash of its key.
    pub with: Hash,
}

impl FromRequestParts<Api> for Shop {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let detail = "this needs a merchant's secret key in the Authorization header";
        let none = || Problem::unknown(detail);
        let key = bearer(&parts.headers).ok_or_else(|| Problem::anonymous(detail))?;
        let key = Some(key).filter(|key| key.starts_with(MERCHANT_KEY));
        let with = Hash::of_secret(key.ok_or_else(none)?);
        let found = api.lane.read(|view| query::holder(view, with)).await?;
        let now = api.clock.now();
        let found = found.filter(|(_, until)| until.is_none_or(|until| now < until));
        let (id, _) = found.ok_or_else(none)?;
        let id = id.parse::<MerchantId>().map_err(Problem::internal)?;
        api.rates.take(&id)?;
        Ok(Self { id, with })
    }
}

/// A person or a merchant: each asks after keys of their own.
pub enum Anyone {
    /// A person.
    Person(Payer),
    /// A merchant.
    Shop(Shop),
}

impl FromRequestParts<Api> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if bearer(&parts.headers).is_some_and(|token| token.starts_with(MERCHANT_KEY)) {
            return Shop::from_request_parts(parts, api).await.map(Self::Shop);
        }
        Payer::from_request_parts(parts, api)
            .await
            .map(Self::Person)
    }
}

/// What whoever asks calls their request: the header `Idempotency-Key`.
#[derive(IntoParams)]
#[into_params(names("Idempotency-Key"), parameter_in = Header)]
pub struct Key(#[param(pattern = "^[!-~]{1,255}$")] pub String);

/// Whether a key is one.
pub fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut all = parts.headers.get_all("idempotency-key").iter();
        let (Some(key), None) = (all.next(), all.next()) else {
            let detail = "a request that changes something has one Idempotency-Key header";
            return Err(Problem::bad("idempotency-key-missing", detail));
        };
        let key = key.to_str().ok().filter(|key| is_key(key));
        let detail = "an Idempotency-Key has 1 to 255 visible ASCII characters";
        key.map(|key| Self(key.to_owned()))
            .ok_or_else(|| Problem::bad("idempotency-key-invalid", detail))
    }
}

/// A JSON body.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = "the body has to be application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "not-json", detail));
        }
        let body = request.with_limited_body().into_body();
        let bytes = match Limited::new(body, MAX_BODY).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let detail = format!("the body is longer than {MAX_BODY} bytes");
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body-too-large",
                    detail,
                ));
            }
            Err(_) => return Err(Problem::bad("invalid-body", "the body did not arrive")),
        };
        object(&bytes).map(Self).map_err(|error| {
            let why = match error {
                NotAsked::NoObject => "the body has to be a JSON object".to_owned(),
                NotAsked::Json(error) => {
                    let why = in_plain_words(&error.to_string());
                    format!("the body is not as expected: {why}")
                }
            };
            Problem::bad("invalid-body", why)
        })
    }
}

/// What `error` says, without the names that types have in the program.
fn in_plain_words(error: &str) -> String {
    for (type_of_ours, instead) in [
        (", expected struct ", "object"),
        (", expected enum ", "text"),
    ] {
        if let Some((what, rest)) = error.split_once(type_of_ours) {
            let place = rest.rfind(" at line ").map_or("", |at| &rest[at..]);
            return format!("{what}, expected {instead}{place}");
        }
    }
    error.to_owned()
}

/// The part of the path that names something.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(Problem::bad("invalid-path", "the path is not UTF-8")),
        }
    }
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// What the page before gave as `next`.
    #[param(minimum = 1)]
    cursor: Option<i64>,
    /// How many, 1 to 500; 50 where nobody says.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// Of which currency, where that matters; KRW where nobody says.
    currency: Option<String>,
    /// Of a statement: as what; where nobody says, as `Accept` has it.
    format: Option<Format>,
    /// Of a statement as a file: from when on, in milliseconds since 1970.
    from_ms: Option<i64>,
    /// Of a statement as a file: before when, in milliseconds since 1970.
    to_ms: Option<i64>,
}

/// As what a statement is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A page, newest first.
    Json,
    /// All of a time, oldest first, as a table (RFC 4180).
    Csv,
    /// All of a time, oldest first, as a bank's customer gets it (ISO 20022 camt.053).
    Camt,
}

impl Format {
    /// The one that `Accept` names alone.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT);
        match accepted.and_then(|value| value.to_str().ok()) {
            Some("text/csv") => Self::Csv,
            Some("application/xml") => Self::Camt,
            _ => Self::Json,
        }
    }
}

/// A page that is asked for.
pub struct Paged {
    /// Where it begins.
    pub cursor: Option<i64>,
    /// How long it is.
    pub limit: usize,
    /// Of which currency.
    pub currency: Option<String>,
    /// Of a statement: as what.
    pub format: Format,
    /// Of a file: from when on.
    pub from_ms: Option<i64>,
    /// Of a file: before when.
    pub to_ms: Option<i64>,
}

impl Paged {
    /// Where a statement begins.
    pub fn start(&self) -> Start {
        let cursor = self.cursor.map(bongsu_ledger::Cursor);
        cursor.map_or(Start::Newest, Start::Cursor)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paged {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = || {
            Problem::bad(
                "invalid-query",
                "`cursor` is what a page gave as `next`, `limit` is 1 to 500, `format` is json, csv or camt",
            )
        };
        let asked = Query::<Paging>::from_request_parts(parts, state).await;
        let Query(asked) = asked.map_err(|_| wrong())?;
        let limit = asked.limit.map_or(Ok(PAGE), usize::try_from);
        let limit = limit.map_err(|_| wrong())?;
        if !(1..=MAX_PAGE).contains(&limit) || asked.cursor.is_some_and(|cursor| cursor < 1) {
            return Err(wrong());
        }
        Ok(Self {
            cursor: asked.cursor,
            limit,
            currency: asked.currency,
            format: asked
                .format
                .unwrap_or_else(|| Format::accepted(&parts.headers)),
            from_ms: asked.from_ms,
            to_ms: asked.to_ms,
        })
    }
}
