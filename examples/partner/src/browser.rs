//! What browsers keep and say.

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// The cookies.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// Who is signed in.
    SignedIn,
    /// Who is at a provider.
    Away,
}

impl Name {
    const fn text(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::SignedIn, true) => "__Host-partner",
            (Self::SignedIn, false) => "partner",
            (Self::Away, true) => "__Host-partner-away",
            (Self::Away, false) => "partner-away",
        }
    }
}

fn is_secure(base_url: &str) -> bool {
    base_url.starts_with("https://")
}

/// The cookie that was sent, if it came once.
pub fn sent(base_url: &str, headers: &HeaderMap, name: Name) -> Option<String> {
    let name = name.text(is_secure(base_url));
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let all = lines.flat_map(|line| Cookie::split_parse(line.to_owned()));
    let mut own = all.flatten().filter(|cookie| cookie.name() == name);
    match (own.next(), own.next()) {
        (Some(cookie), None) => Some(cookie.value().to_owned()),
        _ => None,
    }
}

/// Sets a cookie until the browser is closed, or takes it away.
pub fn set(base_url: &str, name: Name, value: Option<&str>) -> HeaderValue {
    let secure = is_secure(base_url);
    let cookie = Cookie::build((name.text(secure), value.unwrap_or_default().to_owned()))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax);
    let cookie = match value {
        Some(_) => cookie,
        None => cookie.max_age(cookie::time::Duration::ZERO),
    };
    HeaderValue::from_str(&cookie.build().to_string()).expect("base64url goes into a header")
}

/// Whether a form came from a page of the service: browsers say so, and other pages cannot make them say otherwise.
pub fn is_own_form(base_url: &str, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    site && text("origin").is_some_and(|origin| origin == base_url)
}
