//! What people may spend, and the days in which that is counted.

use crate::command::{Limits, TopUpLimits};
use crate::subscription::Period;
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

/// How much people of `level` may have the bank bring where no operator said otherwise, in minor units.
#[must_use]
pub const fn usual_top_up(level: u8) -> TopUpLimits {
    let (top_up, balance) = match level {
        0 => (500_000, 2_000_000),
        1 => (2_000_000, 10_000_000),
        2 => (10_000_000, 50_000_000),
        _ => (50_000_000, 200_000_000),
    };
    TopUpLimits { top_up, balance }
}

/// The day of `time`, counted from 1970-01-01, and the month, counted from January of the year 0.
#[must_use]
pub const fn day_and_month(time: LogTime) -> (i64, i64) {
    let (day, month, _) = civil(time);
    (day, month)
}

/// How many whole periods lie between `from` and `now`. A month is over on the day of the month on which it began, or on the
/// last of a month that has no such day, at the same time of day.
#[must_use]
pub fn periods(from: LogTime, now: LogTime, period: Period) -> i64 {
    let days = now.since(from).0.div_euclid(DAY);
    match period {
        Period::Day => days,
        Period::Week => days.div_euclid(7),
        Period::Month => {
            let (begun, is) = (civil(from), civil(now));
            let of_day = |time: LogTime| time.0.saturating_add(AHEAD).rem_euclid(DAY);
            let turns = (begun.2.min(days_in(is.1)), of_day(from));
            is.1 - begun.1 - i64::from((is.2, of_day(now)) < turns)
        }
    }
}

/// How many days a month has, counted from January of the year 0.
const fn days_in(month: i64) -> i64 {
    let year = month.div_euclid(12);
    match month.rem_euclid(12) {
        1 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// As [`day_and_month`], and the day of the month, from 1.
const fn civil(time: LogTime) -> (i64, i64, i64) {
    let day = time.0.saturating_add(AHEAD).div_euclid(DAY);
    // Years that begin in March end with the leap day (Hinnant, days and civil dates).
    let from_march = day + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    (day, (era * 400 + year) * 12 + month + 2, of_month)
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

    #[test]
    fn months_turn_on_the_day_on_which_they_began_or_on_the_last() {
        // 2027-01-31 12:00 in Korea.
        let from = LogTime(1_801_364_400_000);
        let after = |days: i64, ms: i64| LogTime(from.0 + days * DAY + ms);
        for (now, months) in [
            (after(0, 0), 0),
            (after(28, -1), 0),
            (after(28, 0), 1),
            (after(58, 0), 1),
            (after(59, -1), 1),
            (after(59, 0), 2),
            (after(89, 0), 3),
            (after(365, -1), 11),
            (after(365, 0), 12),
            // 2028 has a 29th of February.
            (after(394, -1), 12),
            (after(394, 0), 13),
        ] {
            assert_eq!(periods(from, now, Period::Month), months, "{now:?}");
        }
        let week = |ms| periods(from, after(7, ms), Period::Week);
        assert_eq!((week(-1), week(0)), (0, 1));
        let day = |ms| periods(from, after(1, ms), Period::Day);
        assert_eq!((day(-1), day(0)), (0, 1));
    }
}
