//! Scopes (RFC 6749, section 3.3): what a client wants to have.

use bongsu_base::DeviceId;
use std::collections::BTreeSet;
use std::fmt;

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// That the person is told apart from others (OpenID Connect Core 1.0).
    OpenId,
    /// The person's name.
    Profile,
    /// Going on while the person is away.
    OfflineAccess,
    /// The messenger, as the person (Matrix v1.19, client-server API, OAuth 2.0 scopes).
    MatrixApi(Stability),
    /// Being this device of the person's in the messenger.
    MatrixDevice(Stability, DeviceId),
    /// Something that a service other than this one knows.
    Other(String),
}

/// Under which name Matrix clients ask: that of the specification, or the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// Matrix v1.15 and later.
    Stable,
    /// MSC2967.
    Unstable,
}

const API: [(Stability, &str); 2] = [
    (Stability::Stable, "urn:matrix:client:api:*"),
    (
        Stability::Unstable,
        "urn:matrix:org.matrix.msc2967.client:api:*",
    ),
];
const DEVICE: [(Stability, &str); 2] = [
    (Stability::Stable, "urn:matrix:client:device:"),
    (
        Stability::Unstable,
        "urn:matrix:org.matrix.msc2967.client:device:",
    ),
];
/// What scopes of a Matrix client begin with.
pub const MATRIX: &str = "urn:matrix:";
/// The longest text of scopes, in bytes.
const MAX: usize = 2_000;

/// Why a text is no scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It has characters that a scope does not have, or is too long.
    #[error("`scope` is a list of words with a space between them, at most {MAX} bytes")]
    Form,
    /// A Matrix device's id has 10 characters or more, of those that need no escaping in a URL.
    #[error("a Matrix device's id in a scope has 10 to 255 letters, digits, `-`, `.`, `_` and `~`")]
    Device,
    /// A client is one device.
    #[error("a client can be one Matrix device only")]
    Devices,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |names: [(Stability, &'static str); 2], stability: Stability| {
            let [stable, unstable] = names;
            if stability == Stability::Stable {
                stable.1
            } else {
                unstable.1
            }
        };
        match self {
            Self::OpenId => f.write_str("openid"),
            Self::Profile => f.write_str("profile"),
            Self::OfflineAccess => f.write_str("offline_access"),
            Self::MatrixApi(stability) => f.write_str(of(API, *stability)),
            Self::MatrixDevice(stability, device) => {
                write!(f, "{}{device}", of(DEVICE, *stability))
            }
            Self::Other(name) => f.write_str(name),
        }
    }
}

fn one(text: &str) -> Result<Scope, ScopeError> {
    // RFC 6749, appendix A.4.
    let allowed = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    if !text.chars().all(allowed) {
        return Err(ScopeError::Form);
    }
    if let Some((stability, _)) = API.iter().find(|(_, name)| *name == text) {
        return Ok(Scope::MatrixApi(*stability));
    }
    for (stability, name) in DEVICE {
        if let Some(id) = text.strip_prefix(name) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            let sound = (10..=255).contains(&id.len()) && id.chars().all(allowed);
            let id = sound.then(|| id.parse().ok()).flatten();
            return Ok(Scope::MatrixDevice(
                stability,
                id.ok_or(ScopeError::Device)?,
            ));
        }
    }
    Ok(match text {
        "openid" => Scope::OpenId,
        "profile" => Scope::Profile,
        "offline_access" => Scope::OfflineAccess,
        other => Scope::Other(other.to_owned()),
    })
}

/// A set of scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The scopes in `text`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MAX {
            return Err(ScopeError::Form);
        }
        let words = text.split(' ').filter(|word| !word.is_empty());
        let scopes = Self(words.map(one).collect::<Result<_, _>>()?);
        let devices = scopes
            .0
            .iter()
            .filter(|scope| matches!(scope, Scope::MatrixDevice(..)));
        if devices.count() > 1 {
            return Err(ScopeError::Devices);
        }
        Ok(scopes)
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether they let the client be a messenger.
    #[must_use]
    pub fn matrix_api(&self) -> bool {
        self.0
            .iter()
            .any(|scope| matches!(scope, Scope::MatrixApi(_)))
    }

    /// The Matrix device that the client wants to be.
    #[must_use]
    pub fn matrix_device(&self) -> Option<&DeviceId> {
        self.0.iter().find_map(|scope| match scope {
            Scope::MatrixDevice(_, device) => Some(device),
            _ => None,
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// These and `scope`.
    #[must_use]
    pub fn with(mut self, scope: Scope) -> Self {
        self.0.insert(scope);
        self
    }

    /// Those of them that `keep` keeps.
    #[must_use]
    pub fn only(self, keep: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.into_iter().filter(|scope| keep(scope)).collect())
    }

    /// What a person agrees to once and for all: all but the Matrix device, which is another one each time.
    #[must_use]
    pub fn lasting(&self) -> Self {
        self.clone()
            .only(|scope| !matches!(scope, Scope::MatrixDevice(..)))
    }

    /// Whether all of `other` are among them.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Scope::to_string).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        for (text, expect) in [
            ("", Ok("")),
            ("profile  openid", Ok("openid profile")),
            ("openid openid", Ok("openid")),
            (
                "urn:matrix:client:device:ABCDEFGHIJ urn:matrix:client:api:*",
                Ok("urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ"),
            ),
            (
                "urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ",
                Ok("urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ"),
            ),
            ("orders:read", Ok("orders:read")),
            ("urn:matrix:client:device:AB", Err(ScopeError::Device)),
            (
                "urn:matrix:client:device:AAAAAAAAA/",
                Err(ScopeError::Device),
            ),
            (
                "urn:matrix:client:device:ABCDEFGHIJ urn:matrix:client:device:ABCDEFGHIK",
                Err(ScopeError::Devices),
            ),
            ("open\"id", Err(ScopeError::Form)),
            ("open\nid", Err(ScopeError::Form)),
            ("한글", Err(ScopeError::Form)),
        ] {
            let read = Scopes::parse(text).map(|scopes| scopes.to_string());
            assert_eq!(read, expect.map(ToOwned::to_owned), "{text}");
        }
        assert!(Scopes::parse(&"a".repeat(2001)).is_err());
    }
}
