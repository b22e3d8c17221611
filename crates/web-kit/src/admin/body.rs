//! What is asked and answered.

use super::problem::Problem;
use crate::json::object;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The longest body, in bytes.
const MAX_BODY: usize = 1 << 16;
/// How many a page has where nobody says, and at most.
const PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;
/// The longest reason, in bytes.
const MAX_REASON: usize = 2_000;

/// A JSON body. None at all is an empty object.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = request.with_limited_body().into_body();
        let bytes = match Limited::new(body, MAX_BODY).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let detail = format!("the body is longer than {MAX_BODY} bytes");
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
            }
            Err(error) => {
                return Err(Problem::bad_request(format!(
                    "the body did not arrive: {error}"
                )));
            }
        };
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        object(text)
            .map(Self)
            .map_err(|error| Problem::bad_request(format!("the body is not as expected: {error}")))
    }
}

/// Why something is done, for the audit log.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Acting {
    /// Why, at most 2,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request that carries a reason.
pub trait Reason {
    /// The reason as it was given.
    fn reason(&self) -> Option<&String>;

    /// The reason, if it is one that can be kept.
    ///
    /// # Errors
    /// 400 when it is too long.
    fn kept_reason(&self) -> Result<Option<String>, Problem> {
        let reason = self.reason().filter(|reason| !reason.is_empty());
        if reason.is_some_and(|reason| reason.len() > MAX_REASON) {
            return Err(Problem::bad_request(format!(
                "a reason has at most {MAX_REASON} bytes"
            )));
        }
        Ok(reason.cloned())
    }
}

impl Reason for Acting {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

/// Where a page begins, and how long it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// What the page before gave as `next`.
    pub cursor: Option<String>,
    /// How many, at most; 100 where nobody says, 1,000 at most.
    pub limit: Option<usize>,
}

impl PageQuery {
    /// How many are wanted.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE)
    }

    /// The cursor as a number.
    ///
    /// # Errors
    /// 400 when it is not one that a page gave.
    pub fn number(&self) -> Result<Option<i64>, Problem> {
        let number = self.cursor.as_deref().map(str::parse);
        number
            .transpose()
            .map_err(|_| Problem::bad_request("`cursor` is what the page before gave as `next`"))
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of `found`, which was looked for with one more than `limit`; `cursor` is that of an item.
    pub fn of(mut found: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(cursor);
        Self { items: found, next }
    }

    /// The same page, with something else made of each item.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(make).collect(),
            next: self.next,
        }
    }
}

/// It is done.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Done {}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_the_last_names_the_next() {
        let page = |found: &[i64]| Page::of(found.to_vec(), 2, i64::to_string);
        let (full, last) = (page(&[1, 2, 3]), page(&[1, 2]));
        assert_eq!((full.items, full.next.as_deref()), (vec![1, 2], Some("2")));
        assert_eq!((last.items, last.next), (vec![1, 2], None));
        let made = page(&[1, 2, 3]).map(|n| n * 10);
        assert_eq!(
            (made.items, made.next.as_deref()),
            (vec![10, 20], Some("2"))
        );
    }

    #[test]
    fn a_reason_that_is_too_long_is_refused_and_an_empty_one_is_none() {
        let kept = |reason: String| {
            Acting {
                reason: Some(reason),
            }
            .kept_reason()
        };
        assert!(kept("x".repeat(MAX_REASON + 1)).is_err());
        assert_eq!(kept(String::new()).ok(), Some(None));
        assert_eq!(kept("spam".to_owned()).ok(), Some(Some("spam".to_owned())));
    }
}
