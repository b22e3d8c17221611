//! Forms and queries (RFC 6749, section 3.1): a parameter without a value counts as left out, and none may come twice.

use super::error::OauthError;
use axum::RequestExt;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt;
use url::form_urlencoded;

/// The longest form, in bytes.
const MAX_FORM: usize = 64 << 10;
/// The most parameters.
const MAX_PARAMETERS: usize = 64;

/// Why something is no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormError {
    /// A parameter came twice.
    Twice(String),
    /// A parameter's value is no text.
    Value(String),
    /// A parameter's name is no text.
    Name,
    /// There are too many.
    Many,
    /// One is not of its form.
    Form(String),
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(name) => write!(f, "the parameter {name} came twice"),
            Self::Value(name) => write!(f, "the parameter {name} is not UTF-8"),
            Self::Name => f.write_str("the name of a parameter is not UTF-8"),
            Self::Many => write!(f, "there are more than {MAX_PARAMETERS} parameters"),
            Self::Form(why) => write!(f, "the parameters are not of their form: {why}"),
        }
    }
}

impl From<FormError> for OauthError {
    fn from(error: FormError) -> Self {
        Self::invalid(error.to_string())
    }
}

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// See [`FormError`].
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, FormError> {
    let mut seen = BTreeSet::new();
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    for (number, pair) in pairs.enumerate() {
        if number >= MAX_PARAMETERS {
            return Err(FormError::Many);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name).ok_or(FormError::Name)?;
        let short = || name.chars().take(64).collect();
        let value = decoded(value).ok_or_else(|| FormError::Value(short()))?;
        if !value.is_empty() {
            kept.append_pair(&name, &value);
        }
        if seen.contains(&name) {
            return Err(FormError::Twice(short()));
        }
        seen.insert(name);
    }
    serde_urlencoded::from_str(&kept.finish()).map_err(|error| FormError::Form(error.to_string()))
}

/// A part of a form as it was before it was coded, if that is text: nothing is put in the place of what is not.
pub fn decoded(part: &str) -> Option<String> {
    let spaced = part.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(text.into_owned())
}

/// A form in a request's body.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = OauthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OauthError> {
        if !is_form(request.headers()) {
            let why = "the body has to be application/x-www-form-urlencoded";
            return Err(OauthError::invalid(why));
        }
        Ok(Self(parse(&body(request).await?)?))
    }
}

/// A request's body as text.
pub async fn body(request: Request) -> Result<String, OauthError> {
    let body = request.with_limited_body().into_body();
    let bytes = match Limited::new(body, MAX_FORM).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let why = format!("the body is longer than {MAX_FORM} bytes");
            return Err(OauthError::too_large(why));
        }
        Err(error) => return Err(OauthError::invalid(format!("the body broke off: {error}"))),
    };
    String::from_utf8(bytes.into()).map_err(|_| OauthError::invalid("the body is no text"))
}

/// Whether a request says that its body is a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let bare = kind.split(';').next().unwrap_or_default().trim();
    bare.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::request::Params;

    #[test]
    fn parameters_come_once_and_empty_ones_not_at_all() {
        let read = |text| parse::<Params>(text);
        let params = read("client_id=a%20b&state=&x=1").unwrap();
        assert_eq!(params.client_id.as_deref(), Some("a b"));
        assert_eq!(params.state, None);
        let twice = |name: &str| Err(FormError::Twice(name.to_owned()));
        assert_eq!(read("client_id=a&client_id=a"), twice("client_id"));
        assert_eq!(read("x=&x=1"), twice("x"));
        assert_eq!(read("%78=1&x=1"), twice("x"));
        let value = |name: &str| Err(FormError::Value(name.to_owned()));
        assert_eq!(read("state=%ff"), value("state"));
        assert_eq!(read("x=%ed%a0%80"), value("x"), "half a character");
        assert_eq!(read("%ff=1"), Err(FormError::Name));
        let kept = read("state=%ef%bf%bd%00+%zz").unwrap();
        assert_eq!(kept.state.as_deref(), Some("\u{fffd}\0 %zz"));
        let many: String = (0..65).map(|n| format!("a{n}=1&")).collect();
        assert_eq!(read(&many), Err(FormError::Many));
    }
}
