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
    /// To one's own account, for this.
    Account(Managing),
}

/// What a messenger sends people to their account for (MSC4191), under the names of the specification and those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// To see where they are signed in.
    #[serde(rename = "org.matrix.devices_list", alias = "org.matrix.sessions_list")]
    Devices,
    /// To see one session.
    #[serde(rename = "org.matrix.device_view", alias = "org.matrix.session_view")]
    View,
    /// To end it.
    #[serde(rename = "org.matrix.device_delete", alias = "org.matrix.session_end")]
    End,
}

/// What is to be done with one's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Managing {
    /// What.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// With which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
}

impl Managing {
    /// What a query asks for. What is not known leads to the account as a whole.
    pub fn parse(query: &str) -> Self {
        form::parse(query).unwrap_or_default()
    }

    /// The session that is meant, if one is.
    pub fn device(&self) -> Option<&str> {
        let one = matches!(self.action, Some(Action::View | Action::End));
        self.device_id.as_deref().filter(|_| one)
    }

    fn behind(&self, place: &str) -> String {
        match serde_urlencoded::to_string(self) {
            Ok(query) if !query.is_empty() => format!("{place}?{query}"),
            _ => place.to_owned(),
        }
    }
}

impl Next {
    /// As it stands in a form: a word and a query, never an address.
    pub fn text(&self) -> String {
        match self {
            Self::Authorize(asked) => format!("authorize?{}", asked.query()),
            Self::Device(None) => "device".to_owned(),
            Self::Device(Some(code)) => format!("device?{code}"),
            Self::Account(managing) => managing.behind("account"),
        }
    }

    /// What stood in a form. What is not known leads to the account.
    pub fn parse(text: &str) -> Self {
        let (word, rest) = text.split_once('?').unwrap_or((text, ""));
        match word {
            "authorize" => {
                let other = Self::Account(Managing::default());
                form::parse(rest).map_or(other, |asked| Self::Authorize(Box::new(asked)))
            }
            "device" => {
                let code = rest.chars().take(40).collect::<String>();
                Self::Device(Some(code).filter(|code| !code.is_empty()))
            }
            "account" => Self::Account(Managing::parse(rest)),
            _ => Self::Account(Managing::default()),
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
            Self::Account(managing) => managing.behind("/account"),
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
            (
                "account?action=org.matrix.session_end&device_id=A%26B",
                "/account?action=org.matrix.device_delete&device_id=A%26B",
            ),
            ("account?action=org.matrix.dance&device_id=A", "/account"),
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
