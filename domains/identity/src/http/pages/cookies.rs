//! The pages' cookies: who is signed in in this browser, and that its forms came from here.

use crate::provider::{Keys, Provider};
use crate::secret::{Token, TokenHash};
use cookie::{Cookie, SameSite};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header};

/// The two cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    SignedIn,
    Forms,
}

impl Name {
    /// Over TLS the browser itself sees to it that no other host, path or connection set it (RFC 6265bis, section
    /// 4.1.3.2).
    const fn text(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::SignedIn, true) => "__Host-bongsu",
            (Self::SignedIn, false) => "bongsu",
            (Self::Forms, true) => "__Host-bongsu-forms",
            (Self::Forms, false) => "bongsu-forms",
        }
    }
}

/// What the browser sent. A cookie that came twice counts as not sent: one of the two is not ours.
fn sent(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let all = lines.flat_map(|line| Cookie::split_parse(line.to_owned()));
    let mut own = all.flatten().filter(|cookie| cookie.name() == name);
    match (own.next(), own.next()) {
        (Some(cookie), None) => Some(cookie.value().to_owned()),
        _ => None,
    }
}

/// The cookie that says who is signed in.
pub fn signed_in(provider: &Provider, headers: &HeaderMap) -> Option<TokenHash> {
    let name = Name::SignedIn.text(provider.config().is_secure());
    sent(headers, name).map(|text| TokenHash::of(&text))
}

fn set(provider: &Provider, name: Name, value: &str, seconds: i64) -> HeaderValue {
    let secure = provider.config().is_secure();
    let cookie = Cookie::build((name.text(secure), value.to_owned()))
        .path("/")
        .http_only(true)
        .secure(secure)
        // A client leads people here from its own site: `Strict` would make them sign in each time.
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(seconds));
    HeaderValue::from_str(&cookie.build().to_string()).expect("a token goes into a header")
}

/// Says that somebody is signed in from now on.
pub fn sign_in(provider: &Provider, token: &Token) -> HeaderValue {
    let seconds = provider.config().browser.0 / 1000;
    set(provider, Name::SignedIn, token.reveal(), seconds)
}

/// Says that nobody is.
pub fn sign_out(provider: &Provider) -> HeaderValue {
    set(provider, Name::SignedIn, "", 0)
}

/// What a page puts into its forms, and the cookie to set if the browser has none yet.
#[derive(Debug)]
pub struct FormSeal {
    /// What the forms carry.
    pub text: String,
    /// The cookie to be set.
    pub cookie: Option<HeaderValue>,
}

/// The seal of forms for this browser.
pub fn seal(provider: &Provider, keys: &Keys, headers: &HeaderMap) -> Option<FormSeal> {
    let key = keys.secret(provider.now())?;
    let name = Name::Forms.text(provider.config().is_secure());
    if let Some(cookie) = sent(headers, name) {
        let text = key.form_seal(&cookie);
        return Some(FormSeal { text, cookie: None });
    }
    let fresh = BASE64URL_NOPAD.encode(&provider.random::<16>());
    let cookie = set(provider, Name::Forms, &fresh, 24 * 60 * 60);
    Some(FormSeal {
        text: key.form_seal(&fresh),
        cookie: Some(cookie),
    })
}

/// Whether a form came from one of our pages in this very browser.
pub fn is_ours(provider: &Provider, keys: &Keys, headers: &HeaderMap, seal: &str) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    // What browsers of today say by themselves, and a page cannot change.
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    let name = Name::Forms.text(provider.config().is_secure());
    let Some(cookie) = sent(headers, name) else {
        return false;
    };
    keys.secrets().any(|key| key.is_form_seal(&cookie, seal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_came_twice_was_not_sent() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            sent(&headers, "bongsu")
        };
        assert_eq!(read(&["bongsu=a"]).as_deref(), Some("a"));
        assert_eq!(read(&["x=1; bongsu=a; y=2"]).as_deref(), Some("a"));
        for lines in [
            &["bongsu=a; bongsu=b"][..],
            &["bongsu=a", "bongsu=b"],
            &["other=a"],
            &[""],
        ] {
            assert_eq!(read(lines), None, "{lines:?}");
        }
    }
}
