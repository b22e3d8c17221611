//! What stands on the wire: HTTP/1.1 under `/peer/v1`, a file under `/peer/v1/stores/STORE/NAME`.

use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::path::Path;
use object_store::{GetRange, ObjectMeta};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a data centre tells how it is.
pub(crate) const STATUS: &str = "/peer/v1/status";
/// Where stores are.
pub(crate) const STORES: &str = "/peer/v1/stores";
/// What is known of a file, in JSON, beside its content.
pub(crate) const META: HeaderName = HeaderName::from_static("bongsu-meta");
/// The longest line of a list.
pub(crate) const MAX_LINE: usize = 16 << 10;

/// What must not stand as it is in a path or a query (RFC 3986, sections 3.3 and 3.4), and `%` itself.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// `text` as it may stand in a path or a query.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Its name in the store; in a list alone, elsewhere it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since 1970.
    pub modified: i64,
    /// What changes with its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
}

impl Meta {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            name: String::new(),
            size: meta.size,
            modified: meta.last_modified.timestamp_millis(),
            e_tag: meta.e_tag.clone(),
        }
    }

    pub(crate) fn named(meta: &ObjectMeta) -> Self {
        Self {
            name: meta.location.to_string(),
            ..Self::of(meta)
        }
    }

    /// Back again, for the file `location`.
    pub(crate) fn at(self, location: Path) -> Option<ObjectMeta> {
        Some(ObjectMeta {
            location,
            last_modified: DateTime::from_timestamp_millis(self.modified)?,
            size: self.size,
            e_tag: self.e_tag,
            version: None,
        })
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let json = serde_json::to_string(self).expect("it is plain data");
        HeaderValue::from_str(&json).ok()
    }

    pub(crate) fn in_headers(headers: &HeaderMap) -> Option<Self> {
        serde_json::from_slice(headers.get(META)?.as_bytes()).ok()
    }

    /// A line of a list.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("it is plain data");
        json.push(b'\n');
        json
    }

    pub(crate) fn of_line(line: &[u8]) -> Option<ObjectMeta> {
        let mut meta: Self = serde_json::from_slice(line).ok()?;
        let location = Path::parse(std::mem::take(&mut meta.name)).ok()?;
        meta.at(location)
    }
}

/// The part of a file that a `Range` header asks for: one part, in bytes (RFC 9110, section 14.1.2).
pub(crate) fn asked_range(text: &str) -> Option<GetRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok();
    Some(match (first, last) {
        ("", last) => GetRange::Suffix(number(last)?),
        (first, "") => GetRange::Offset(number(first)?),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            GetRange::Bounded(first..last.checked_add(1)?)
        }
    })
}

/// The header `Content-Range` for a part of a file with `size` bytes.
pub(crate) fn given_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

/// The part that a header `Content-Range` names.
pub(crate) fn read_given_range(text: &str) -> Option<Range<u64>> {
    let (range, _) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse::<u64>().ok()?);
    Some(first..last.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_survive_the_wire(start in 0..u64::MAX / 2, length in 1..u64::MAX / 2) {
            let range = start..start + length;
            let asked = GetRange::Bounded(range.clone());
            prop_assert_eq!(asked_range(&asked.to_string()), Some(asked));
            prop_assert_eq!(read_given_range(&given_range(&range, u64::MAX)), Some(range));
        }

        #[test]
        fn no_text_is_too_odd_for_a_range(text in ".{0,40}") {
            let _ = (asked_range(&text), read_given_range(&text), asked_range(&format!("bytes={text}")));
        }

        #[test]
        fn a_list_survives_the_wire(
            parts in prop::collection::vec("[^/]{1,12}", 1..4),
            size: u64,
            modified in 0..4_102_444_800_000_i64,
            e_tag in prop::option::of("[ -~]{0,20}"),
        ) {
            let meta = ObjectMeta {
                location: Path::from_iter(parts),
                last_modified: DateTime::from_timestamp_millis(modified).expect("it is before 2100"),
                size,
                e_tag,
                version: None,
            };
            let line = Meta::named(&meta).line();
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(Meta::of_line(&line[..line.len() - 1]), Some(meta));
        }
    }

    #[test]
    fn other_ranges_are_not_understood() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
        ] {
            assert_eq!(asked_range(text), None, "{text}");
        }
    }
}
