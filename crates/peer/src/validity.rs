//! Until when certificates are in force (RFC 5280, section 4.1.2.5), read without judging anything else in them.

use crate::error::PeerError;
use crate::identity::certificates;
use chrono::NaiveDateTime;

/// The tag before a certificate's version, which the first version leaves out (RFC 5280, section 4.1).
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first of the certificates in `pem` expires, in seconds since 1970.
///
/// # Errors
/// When there is none, or one says no such time.
pub fn expiry(pem: &[u8]) -> Result<i64, PeerError> {
    let what = "certificate";
    let times = certificates(what, pem)?.into_iter().map(|certificate| {
        not_after(&certificate).ok_or_else(|| PeerError::Malformed {
            what,
            why: "it does not say until when it is in force".to_owned(),
        })
    });
    let times = times.collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().min().expect("there is a certificate"))
}

fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(der)?;
    let (_, mut fields, _) = element(certificate)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // The serial number, the signature's algorithm, the issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (_, _, after_not_before) = element(validity)?;
    let (tag, text, _) = element(after_not_before)?;
    seconds(tag, std::str::from_utf8(text).ok()?)
}

/// The first element in `der`: its tag, its content, and what follows it (X.690, section 8.1).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |n, byte| (n << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn seconds(tag: u8, text: &str) -> Option<i64> {
    let whole = match tag {
        // Two digits of the year: up to 49 they are of this century.
        UTC_TIME => {
            let century = if text < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok()?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::Authority;
    use std::time::{Duration, SystemTime};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn the_end_is_that_of_the_certificate_which_ends_first() {
        let now = SystemTime::UNIX_EPOCH + 20_000 * DAY;
        let authority = Authority::create(now).unwrap();
        let folder = tempfile::tempdir().unwrap();
        authority.save(folder.path()).unwrap();
        let issue = |name: &str, span| {
            let name = name.parse().unwrap();
            let issued = authority.issue(&name, now, span).unwrap();
            let files = issued.save(folder.path()).unwrap();
            std::fs::read(files.certificate).unwrap()
        };
        // UTCTime before 2050, GeneralizedTime from then on.
        let (near, far) = (issue("dc1", 398 * DAY), issue("dc2", 10_000 * DAY));
        assert_eq!(expiry(&near).unwrap(), 20_398 * 86_400);
        assert_eq!(expiry(&far).unwrap(), 30_000 * 86_400);
        assert_eq!(expiry(&[far, near].concat()).unwrap(), 20_398 * 86_400);
        let authority = std::fs::read(folder.path().join("authority.pem")).unwrap();
        assert_eq!(expiry(&authority).unwrap(), (20_000 + 20 * 365) * 86_400);
        assert!(expiry(b"nothing").is_err());
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x82, 0xff, 0xff, 0],
            &[0x30, 2, 0x30, 0],
        ] {
            assert_eq!(not_after(der), None, "{der:?}");
        }
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(GENERALIZED_TIME, "19700101000001Z"), Some(1));
        assert_eq!(seconds(GENERALIZED_TIME, "1970"), None);
        assert_eq!(seconds(4, "19700101000001Z"), None);
    }
}
