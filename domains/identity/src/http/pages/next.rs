//! Where a person goes on after signing in: always a page of ours.

use crate::http::oauth::{authorize, form};
use crate::provider::request::Params;
use serde::{Deserialize, Serialize};

/// A request with what shows that the person has just signed in for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The request.
    #[serde(flatten)]
    pub params: Params,
    /// Sealed by us: see [`Fresh`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
}

/// Shows that somebody has just signed in, in this browser and for this request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// The browser's cookie.
    pub cookie: crate::secret::TokenHash,
    /// The request.
    pub request: [u8; 32],
}

impl Asked {
    /// As the query of an address.
    pub fn query(&self) -> String {
        serde_urlencoded::to_string(self).unwrap_or_default()
    }

    /// What tells this request from others, however fresh.
    pub fn digest(&self) -> [u8; 32] {
        let bare = Self {
            params: self.params.clone(),
            fresh: None,
        };
        blake3::derive_key(
            "bongsu 2026-11 request of a client",
            bare.query().as_bytes(),
        )
    }
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// To answer a client.
    Authorize(Box<Asked>),
    /// To let a device in.
    Device(Option<String>),
    /// To one's own account.
    Account,
}

impl Next {
    /// As it stands in a form: a word and a query, never an address.
    pub fn text(&self) -> String {
        match self {
            Self::Authorize(asked) => format!("authorize?{}", asked.query()),
            Self::Device(None) => "device".to_owned(),
            Self::Device(Some(code)) => format!("device?{code}"),
            Self::Account => "account".to_owned(),
        }
    }

    /// What stood in a form. What is not known leads to the account.
    pub fn parse(text: &str) -> Self {
        let (word, rest) = text.split_once('?').unwrap_or((text, ""));
        match word {
            "authorize" => {
                form::parse(rest).map_or(Self::Account, |asked| Self::Authorize(Box::new(asked)))
            }
            "device" => {
                let code = rest.chars().take(40).collect::<String>();
                Self::Device(Some(code).filter(|code| !code.is_empty()))
            }
            _ => Self::Account,
        }
    }

    /// The address of that page.
    pub fn path(&self) -> String {
        match self {
            Self::Authorize(asked) => format!("{}?{}", authorize::PATH, asked.query()),
            Self::Device(None) => "/account/device".to_owned(),
            Self::Device(Some(code)) => {
                let query = serde_urlencoded::to_string([("user_code", code)]);
                format!("/account/device?{}", query.unwrap_or_default())
            }
            Self::Account => "/account".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (text, path) in [
            ("account", "/account"),
            ("", "/account"),
            ("https://evil.example/", "/account"),
            ("//evil.example", "/account"),
            ("authorize?client_id=a&client_id=b", "/account"),
            ("authorize?client_id=a&x=1", "/oauth2/authorize?client_id=a"),
            ("device?BCDF-GHJK", "/account/device?user_code=BCDF-GHJK"),
            (
                "device?\r\nSet-Cookie: a",
                "/account/device?user_code=%0D%0ASet-Cookie%3A+a",
            ),
        ] {
            assert_eq!(Next::parse(text).path(), path, "{text}");
        }
        let next = Next::parse("authorize?client_id=a&state=%26b");
        assert_eq!(Next::parse(&next.text()), next);
    }
}
