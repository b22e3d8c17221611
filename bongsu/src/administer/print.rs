//! Answers, for a person or a program.

use crate::say;
use anyhow::Result;
use serde_json::Value;

/// The fields of a list that a person is shown.
pub type Columns = &'static [&'static str];

/// Prints a value as JSON.
pub fn json(value: &Value) -> Result<()> {
    say::line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints each field of an object on a line.
pub fn fields(value: &Value) {
    let Value::Object(fields) = value else { return };
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in fields {
        match value {
            Value::Array(items) => {
                say::line(format_args!("{name:<width$}  {}", items.len()));
                for item in items {
                    say::line(format_args!("  {}", in_line(item)));
                }
            }
            value => say::line(format_args!("{name:<width$}  {}", word(name, value))),
        }
    }
}

/// Prints a list as a table.
pub fn table(columns: &[&str], items: &[Value]) {
    let row = |item: &Value| -> Vec<String> {
        let cells = columns.iter().map(|column| word(column, &item[*column]));
        cells.collect()
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let head: Vec<String> = columns.iter().map(|column| title(column)).collect();
    let width = |n: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[n].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for row in [&head].into_iter().chain(&rows) {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        say::line(line.join("  ").trim_end());
    }
}

fn title(column: &str) -> String {
    column.trim_end_matches("_ms").replace('_', " ")
}

/// A value in one word, a time as a date.
fn word(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if name.ends_with("_ms") && name != "retention_ms" => {
            number.as_i64().map(date).unwrap_or_default()
        }
        Value::Number(number) => number.to_string(),
        other => in_line(other),
    }
}

fn in_line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let words = fields
                .iter()
                .map(|(name, value)| format!("{} {}", title(name), word(name, value)));
            words.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Milliseconds since 1970 as a date and a time of day in UTC (Howard Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`).
fn date(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_dates() {
        for (ms, expect) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_800_000_000_999, "2027-01-15 08:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"),
        ] {
            assert_eq!(date(ms), expect);
        }
        assert_eq!(word("created_ms", &Value::from(0)), "1970-01-01 00:00:00Z");
        assert_eq!(word("bytes", &Value::from(7)), "7");
    }
}
