//! What people may spend, and the days in which that is counted.

use crate::command::Limits;
use bongsu_base::LogTime;

/// The highest level.
pub const HIGHEST: u8 = 3;
/// Days begin at midnight in Korea, which is nine hours ahead all year.
const AHEAD: i64 = 9 * 60 * 60 * 1_000;
const DAY: i64 = 24 * 60 * 60 * 1_000;
/// For how many days what merchants were told is listed.
const LISTED: i64 = 30;

/// What was told before this is forgotten at `now`.
#[must_use]
pub fn told_until(now: LogTime) -> LogTime {
    LogTime(now.0.saturating_sub(LISTED * DAY))
}

/// What people of `level` may spend where no operator said otherwise, in minor units.
#[must_use]
pub const fn usual(level: u8) -> Limits {
    let (payment, day, month) = match level {
        0 => (300_000, 500_000, 2_000_000),
        1 => (2_000_000, 5_000_000, 20_000_000),
        2 => (10_000_000, 20_000_000, 100_000_000),
        _ => (50_000_000, 100_000_000, 500_000_000),
    };
    Limits {
        payment,
        day,
        month,
    }
}

/// The day of `time`, counted from 1970-01-01, and the month, counted from January of the year 0.
#[must_use]
pub const fn day_and_month(time: LogTime) -> (i64, i64) {
    let day = time.0.saturating_add(AHEAD).div_euclid(DAY);
    // Years that begin in March end with the leap day (Hinnant, days and civil dates).
    let from_march = day + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    (day, (era * 400 + year) * 12 + month + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_are_those_of_korea() {
        let month = |ms| day_and_month(LogTime(ms)).1;
        let of = |year: i64, month: i64| year * 12 + month - 1;
        for (ms, expect) in [
            (0, of(1970, 1)),
            (951_749_999_999, of(2000, 2)),
            (951_750_000_000, of(2000, 2)),
            (951_836_399_999, of(2000, 2)),
            (951_836_400_000, of(2000, 3)),
            (1_798_729_199_999, of(2026, 12)),
            (1_798_729_200_000, of(2027, 1)),
        ] {
            assert_eq!(month(ms), expect, "{ms}");
        }
        let day = |ms| day_and_month(LogTime(ms)).0;
        assert_eq!(day(15 * 3_600_000 - 1), 0);
        assert_eq!(day(15 * 3_600_000), 1);
    }
}
