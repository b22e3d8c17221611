//! Typed identifiers. Binary ids are 128 bits; Matrix ids keep the text form of their specification.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: {reason}")]
pub struct IdError {
    kind: &'static str,
    text: String,
    reason: &'static str,
}

impl IdError {
    fn new(kind: &'static str, text: &str, reason: &'static str) -> Self {
        // An id that came from outside may be megabytes long; an error message must not be.
        let text = text.chars().take(64).collect();
        Self { kind, text, reason }
    }
}

/// Declares a 128-bit id whose text form is 32 lower-case hexadecimal digits.
macro_rules! binary_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = data_encoding::HEXLOWER
                    .decode(text.as_bytes())
                    .map_err(|_| IdError::new($kind, text, "expected 32 lower-case hexadecimal digits"))?;
                let bytes = bytes
                    .try_into()
                    .map_err(|_| IdError::new($kind, text, "expected 32 lower-case hexadecimal digits"))?;
                Ok(Self(bytes))
            }
        }
    };
}

binary_id! {
    /// The id of a record, made by whoever asks. The same id gives the same answer for as long as
    /// outcomes are kept.
    RecordId, "record id"
}

binary_id! {
    /// The id of one running process of Bongsu; a restart is a new process.
    ProcessId, "process id"
}

impl RecordId {
    /// The id of a request that its sender named itself: `scope` says who may name it (an account and
    /// a device, say) and `name` is the sender's own word for it (a transaction id). Equal parts give
    /// equal ids in every process.
    #[must_use]
    pub fn named(scope: &[&str], name: &str) -> Self {
        let mut hasher =
            blake3::Hasher::new_derive_key("bongsu 2026-11 record id from a sender's name");
        for part in scope.iter().chain([&name]) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(bytes)
    }
}

/// Declares a text id with a rule that every value obeys.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                check(text).map_err(|reason| IdError::new($kind, text, reason))?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
    };
}

text_id! {
    /// A person's Matrix id, `@localpart:server` (Matrix v1.19, appendices, user identifiers), at most
    /// 255 bytes.
    UserId, "user id", |text| sigil(text, '@').and_then(|()| domain(text))
}

text_id! {
    /// A room's id, `!opaque` with or without `:server` (Matrix v1.19, appendices, room ids), at most
    /// 255 bytes.
    RoomId, "room id", |text| sigil(text, '!')
}

text_id! {
    /// An event's id, `$` and an opaque part (Matrix v1.19, appendices, event ids), at most 255 bytes.
    EventId, "event id", |text| sigil(text, '$')
}

text_id! {
    /// A device's id, opaque, 1 to 255 bytes.
    DeviceId, "device id", |text| {
        if text.is_empty() { return Err("it is empty"); }
        length(text)
    }
}

text_id! {
    /// The name of this installation as it stands in user ids: a host name or address with an optional
    /// port (Matrix v1.19, appendices, server name), at most 230 bytes.
    ServerName, "server name", |text| {
        if text.is_empty() || text.len() > 230 { return Err("expected 1 to 230 bytes"); }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if text.chars().all(allowed) { Ok(()) } else { Err("expected a host name with an optional port") }
    }
}

text_id! {
    /// The name of a data centre within this installation, as it stands in its certificate: one label of
    /// a host name in lower case (RFC 1123, section 2.1), 1 to 63 bytes of letters, digits and `-`, a
    /// letter first.
    DataCentre, "data centre's name", |text| {
        if text.is_empty() || text.len() > 63 { return Err("expected 1 to 63 bytes"); }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.chars().all(allowed) { return Err("expected lower-case letters, digits and `-`"); }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) { return Err("expected a letter first"); }
        if text.ends_with('-') { Err("it ends with `-`") } else { Ok(()) }
    }
}

impl UserId {
    /// The id of `localpart` at `server`.
    ///
    /// # Errors
    /// When the result would break the rules of user ids.
    pub fn new(localpart: &str, server: &ServerName) -> Result<Self, IdError> {
        format!("@{localpart}:{server}").parse()
    }

    /// The part between `@` and the first `:`.
    #[must_use]
    pub fn localpart(&self) -> &str {
        self.0[1..]
            .split_once(':')
            .map_or(&self.0[1..], |(local, _)| local)
    }

    /// The part after the first `:`.
    #[must_use]
    pub fn server(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, server)| server)
    }
}

fn length(text: &str) -> Result<(), &'static str> {
    if text.len() > 255 {
        Err("it is longer than 255 bytes")
    } else {
        Ok(())
    }
}

fn sigil(text: &str, sigil: char) -> Result<(), &'static str> {
    length(text)?;
    if text.contains('\0') {
        return Err("it contains a NUL byte");
    }
    match text.strip_prefix(sigil) {
        None => Err("it does not begin with its sigil (@ user, ! room, $ event)"),
        Some("") => Err("nothing follows its sigil"),
        Some(_) => Ok(()),
    }
}

fn domain(text: &str) -> Result<(), &'static str> {
    match text.split_once(':') {
        Some((_, server)) if !server.is_empty() => Ok(()),
        _ => Err("it names no server after `:`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_have_a_localpart_and_a_server() {
        let id: UserId = "@mina:bongsu.test:8448".parse().expect("well-formed");
        assert_eq!(id.localpart(), "mina");
        assert_eq!(id.server(), "bongsu.test:8448");
    }

    #[test]
    fn malformed_ids_are_refused_with_a_reason() {
        let check = |text: &str, reason: &str| {
            let error = text.parse::<UserId>().expect_err("malformed");
            assert!(error.to_string().contains(reason), "{error}");
        };
        check("mina", "sigil");
        check("@", "nothing follows");
        check("@mina", "names no server");
        check("@mina:", "names no server");
        check("@mi\0na:s", "NUL");
        check(&format!("@{}:s", "m".repeat(300)), "longer than 255");
    }

    #[test]
    fn a_data_centres_name_is_a_label_of_a_host_name() {
        for good in ["seoul", "dc-2", "a", &"a".repeat(63)] {
            assert_eq!(good.parse::<DataCentre>().expect(good).as_str(), good);
        }
        for bad in [
            "",
            "Seoul",
            "2dc",
            "-a",
            "a-",
            "a.b",
            "a/b",
            "부산",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<DataCentre>().is_err(), "{bad}");
        }
    }

    #[test]
    fn named_record_ids_depend_on_every_part() {
        let id = RecordId::named(&["@a:s", "D"], "t1");
        assert_eq!(id, RecordId::named(&["@a:s", "D"], "t1"));
        assert_ne!(id, RecordId::named(&["@a:sD"], "t1"));
        assert_ne!(id, RecordId::named(&["@a:s", "D"], "t2"));
        assert_ne!(
            RecordId::named(&["ab", "c"], "d"),
            RecordId::named(&["a", "bc"], "d")
        );
    }

    #[test]
    fn binary_ids_round_trip_as_text() {
        let id = RecordId::from_bytes([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("xyz".parse::<RecordId>().is_err());
    }
}
