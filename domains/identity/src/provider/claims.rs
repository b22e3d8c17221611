//! The `claims` parameter (OpenID Connect Core 1.0, section 5.5): claims that a client wants beyond what its scope has.

use bongsu_web_kit::json::object;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest text of the parameter, in bytes.
const MAX: usize = 4_000;

/// What `acr` says of somebody who gave their password.
pub const PASSWORD: &str = "urn:bongsu:acr:password";

/// A claim that can be asked for by name. Others are passed over (section 5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The person's name.
    Name,
    /// What stands between `@` and `:` in their id.
    PreferredUsername,
    /// When they showed who they are.
    AuthTime,
    /// How.
    Acr,
}

/// What is said of a claim that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Whether the client cannot do without.
    #[serde(default)]
    pub essential: bool,
    /// The value that it has to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// The values of which it has to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<serde_json::Value>>,
}

impl Wish {
    /// Whether `found` is what is wished for.
    #[must_use]
    pub fn is_met(&self, found: &str) -> bool {
        let is = |value: &serde_json::Value| value.as_str() == Some(found);
        self.value.as_ref().is_none_or(is)
            && self
                .values
                .as_ref()
                .is_none_or(|values| values.iter().any(is))
    }
}

/// The wishes for one place.
pub type Wishes = BTreeMap<Claim, Option<Wish>>;

/// The claims that are wanted, by where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// At the userinfo endpoint.
    #[serde(
        default,
        deserialize_with = "known",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub userinfo: Wishes,
    /// In the ID token.
    #[serde(
        default,
        deserialize_with = "known",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub id_token: Wishes,
    /// The one person that the client means, if it means one (`sub` with a value).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

fn known<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Wishes, D::Error> {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(untagged)]
    enum Name {
        Known(Claim),
        Other(String),
    }
    let all: Option<BTreeMap<Name, Option<Wish>>> = Deserialize::deserialize(deserializer)?;
    let known = all
        .into_iter()
        .flatten()
        .filter_map(|(name, wish)| match name {
            Name::Known(claim) => Some((claim, wish)),
            Name::Other(_) => None,
        });
    Ok(known.collect())
}

impl Claims {
    /// Reads the parameter; `None` when it is not of its form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Subjects {
            #[serde(default)]
            id_token: Option<Subject>,
        }
        #[derive(Deserialize)]
        struct Subject {
            #[serde(default)]
            sub: Option<Wish>,
        }
        if text.len() > MAX {
            return None;
        }
        let mut claims: Self = object(text.as_bytes()).ok()?;
        let subjects: Subjects = serde_json::from_str(text).ok()?;
        let wish = subjects.id_token.and_then(|wishes| wishes.sub);
        claims.subject = match wish.and_then(|wish| wish.value) {
            None => None,
            Some(value) => Some(value.as_str()?.to_owned()),
        };
        Some(claims)
    }

    /// As it is kept; `None` where nothing is asked for.
    #[must_use]
    pub fn kept(&self) -> Option<String> {
        let asks = !self.userinfo.is_empty() || !self.id_token.is_empty();
        asks.then(|| serde_json::to_string(self).ok()).flatten()
    }

    /// As it was kept.
    #[must_use]
    pub fn of(kept: Option<&str>) -> Self {
        kept.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// Whether it asks for what the scope `profile` has: the person has to agree to that, however it was asked (section 3.1.2.4).
    #[must_use]
    pub fn ask_for_profile(&self) -> bool {
        let all = self.userinfo.keys().chain(self.id_token.keys());
        let mut all = all.map(|claim| matches!(claim, Claim::Name | Claim::PreferredUsername));
        all.any(|is| is)
    }

    /// Whether how somebody showed who they are is what the client cannot do without.
    #[must_use]
    pub fn takes_acr(&self, found: &str) -> bool {
        match self.id_token.get(&Claim::Acr) {
            Some(Some(wish)) => !wish.essential || wish.is_met(found),
            Some(None) | None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_kept() {
        let text = r#"{"userinfo":{"name":{"essential":true},"email":null},
            "id_token":{"auth_time":null,"sub":{"value":"@mina:a"},"acr":{"essential":true,"values":["x"]}},"other":1}"#;
        let claims = Claims::parse(text).unwrap();
        assert_eq!(claims.userinfo.len(), 1);
        assert_eq!(claims.id_token.len(), 2);
        assert_eq!(claims.subject.as_deref(), Some("@mina:a"));
        assert!(!claims.takes_acr(PASSWORD));
        let kept = claims.kept().unwrap();
        assert_eq!(Claims::of(Some(&kept)).userinfo, claims.userinfo);
        assert_eq!(Claims::default().kept(), None);
        assert!(Claims::default().takes_acr(PASSWORD));
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        for text in [
            "",
            "[]",
            r#"{"userinfo":[]}"#,
            r#"{"id_token":{"sub":{"value":1}}}"#,
        ] {
            assert_eq!(Claims::parse(text), None, "{text}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "b".repeat(4_000));
        assert_eq!(Claims::parse(&long), None);
    }
}
