//! Timestamps as the engine writes them.

use bongsu_base::LogTime;

/// A timestamp of RFC 3339 in UTC (`2026-11-25T14:16:43.686033343Z`); what is finer than a millisecond is
/// cut off.
pub(super) fn parse(text: &str) -> Option<LogTime> {
    let (date, rest) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hours, minutes, seconds] = numbers(time, ':')?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + hours * 3_600 + minutes * 60 + seconds;
    Some(LogTime(seconds * 1_000 + millis))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut numbers = text.split(between).map(|part| {
        let digits = part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    });
    let found = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(found)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counted in eras of 400 years that begin on
/// the 1st of March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_to_the_millisecond() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.5Z", Some(500)),
            ("2026-11-25T14:16:43.686933343Z", Some(1_795_616_203_686)),
            ("2024-02-29T23:59:59.999999999Z", Some(1_709_251_199_999)),
            ("2000-03-01T00:00:00Z", Some(951_868_800_000)),
            ("2026-11-25T14:16:43+01:00", None),
            ("2026-11-25 14:16:43Z", None),
            ("2026-11T14:16:43Z", None),
            ("2026-11-25T14:16:43.6x6Z", None),
            ("", None),
        ] {
            assert_eq!(parse(text), millis.map(LogTime), "{text}");
        }
    }
}
