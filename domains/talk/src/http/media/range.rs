//! Asking for a part of a download (RFC 9110, range requests).

use http::HeaderMap;
use http::header;
use std::ops::Range;

/// What part of a content is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it: nothing else was asked for, or nothing that has a meaning here.
    Whole,
    /// These bytes, of which there is at least one.
    Bytes(Range<u64>),
    /// Bytes that it does not have.
    Outside,
}

/// What `headers` ask of a content of `length` bytes under `tag`. Several ranges at once are answered
/// with the whole, as anyone may.
pub fn asked(headers: &HeaderMap, length: u64, tag: &str) -> Part {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key(header::IF_RANGE) && text(header::IF_RANGE) != Some(tag) {
        return Part::Whole;
    }
    text(header::RANGE).map_or(Part::Whole, |range| part(range, length))
}

fn part(range: &str, length: u64) -> Part {
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|one| one.trim().split_once('-'))
    else {
        return Part::Whole;
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return Part::Whole,
    };
    if range.is_empty() {
        Part::Outside
    } else {
        Part::Bytes(range)
    }
}

/// Digits alone: a sign has no meaning here. More than fit are more than any content has.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_standard_says() {
        let check = |range: &str, wanted: Part| assert_eq!(part(range, 10), wanted, "{range}");
        check("bytes=0-3", Part::Bytes(0..4));
        check("bytes=9-9", Part::Bytes(9..10));
        check("bytes=4-", Part::Bytes(4..10));
        check("bytes=4-100", Part::Bytes(4..10));
        check("bytes=-3", Part::Bytes(7..10));
        check("bytes=-100", Part::Bytes(0..10));
        check("bytes=10-", Part::Outside);
        check("bytes=10-12", Part::Outside);
        check("bytes=-0", Part::Outside);
        check("bytes=99999999999999999999999-", Part::Outside);
        for odd in [
            "bytes=3-1",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "lines=1-2",
            "bytes=0-1,3-4",
            "",
        ] {
            check(odd, Part::Whole);
        }
        assert_eq!(part("bytes=0-", 0), Part::Outside);
    }
}
