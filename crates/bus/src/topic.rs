//! What notes are about.

use std::fmt;

/// The longest topic, in bytes.
const LONGEST: usize = 1_024;

/// What a note is about: parts with `/` between them, such as `typing/!room:talk.example`. A part is not
/// empty; it may hold any character but `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic(String);

/// Why a text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicError;

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a topic has parts with `/` between them, none empty, and at most {LONGEST} bytes"
        )
    }
}

impl std::error::Error for TopicError {}

impl Topic {
    /// The topic with these parts.
    ///
    /// # Errors
    /// When a part is empty, or all are too long.
    pub fn new(text: impl Into<String>) -> Result<Self, TopicError> {
        let text = text.into();
        let sound = text.len() <= LONGEST && text.split('/').all(|part| !part.is_empty());
        if sound {
            Ok(Self(text))
        } else {
            Err(TopicError)
        }
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// As one text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it begins with the parts of `prefix`.
    #[must_use]
    pub fn is_under(&self, prefix: &Self) -> bool {
        match self.0.strip_prefix(&prefix.0) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// As a NATS subject under `root`: whatever a subject's token cannot hold is written as `=` and two
    /// hexadecimal digits.
    pub(crate) fn to_subject(&self, root: &str) -> String {
        let mut subject = root.to_owned();
        for part in self.parts() {
            subject.push('.');
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                    subject.push(char::from(byte));
                } else {
                    subject.push_str(&format!("={byte:02x}"));
                }
            }
        }
        subject
    }

    /// Reads what [`Self::to_subject`] wrote.
    pub(crate) fn from_subject(root: &str, subject: &str) -> Option<Self> {
        let tokens = subject.strip_prefix(root)?.strip_prefix('.')?;
        let mut bytes = Vec::with_capacity(tokens.len());
        let mut rest = tokens.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'.' => bytes.push(b'/'),
                b'=' => {
                    let digits = [rest.next()?, rest.next()?];
                    let digits = std::str::from_utf8(&digits).ok()?;
                    bytes.push(u8::from_str_radix(digits, 16).ok()?);
                }
                byte => bytes.push(byte),
            }
        }
        Self::new(String::from_utf8(bytes).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_topic_has_parts_and_is_under_those_it_begins_with() {
        for text in ["", "/", "a/", "/a", "a//b", &"x".repeat(1_025)] {
            assert_eq!(Topic::new(text), Err(TopicError), "{text}");
        }
        let topic = |text: &str| Topic::new(text).expect("a topic");
        for (under, prefix, expected) in [
            ("a", "a", true),
            ("a/b", "a", true),
            ("ab", "a", false),
            ("a", "a/b", false),
            ("b/a", "a", false),
        ] {
            assert_eq!(topic(under).is_under(&topic(prefix)), expected, "{under}");
        }
    }

    proptest! {
        #[test]
        fn every_topic_fits_a_subject(parts in prop::collection::vec("[^/]{1,20}", 1..4)) {
            let topic = Topic::new(parts.join("/")).expect("short");
            let subject = topic.to_subject("house.bus");
            prop_assert!(!subject.contains([' ', '*', '>', '\t', '\r', '\n']));
            prop_assert!(subject.split('.').all(|token| !token.is_empty()));
            prop_assert_eq!(Topic::from_subject("house.bus", &subject), Some(topic));
        }
    }
}
