//! Plots as SVG: how long the slowest of each quarter of a second took, and what had no answer.

use super::{Mark, Round};
use crate::record::Series;
use maud::{Markup, html};

const WIDTH: f64 = 360.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 4.0;
const TOP: f64 = 14.0;
const HEIGHT: f64 = 86.0;
/// Where the strip of errors is, and how high the part of each data centre and of the partner is.
const STRIP: f64 = TOP + HEIGHT + 3.0;
const PART: f64 = 4.0;
const BOTTOM: f64 = STRIP + 4.0 * PART + 14.0;
/// The lines across: milliseconds, and what stands beside them.
const ACROSS: [(f64, &str); 5] = [
    (1.0, "1 ms"),
    (10.0, "10 ms"),
    (100.0, "0.1 s"),
    (1_000.0, "1 s"),
    (10_000.0, "10 s"),
];

/// The plot of one protocol in one scenario.
pub fn plot(round: &Round, protocol: &str, sites: &[String]) -> Markup {
    let of = |site: &String| {
        let mut lines = round.lines.iter();
        lines.find(|line| line.protocol == protocol && line.site == *site)
    };
    let x = |ms: u64| place(ms, round.lasted_ms);
    let label = format!(
        "{protocol} in {}: the slowest answers over time",
        round.name
    );
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {BOTTOM}")) role="img" aria-label=(label) {
            @for (ms, text) in ACROSS {
                line .grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(n(height(ms))) y2=(n(height(ms))) {}
                text .axis x=(LEFT - 4.0) y=(n(height(ms) + 3.0)) text-anchor="end" { (text) }
            }
            @for (start, end) in away(&round.marks, round.lasted_ms) {
                rect .away x=(n(x(start))) width=(n(x(end) - x(start))) y=(TOP) height=(HEIGHT) {}
            }
            @for second in (0..=round.lasted_ms / 1000).step_by(step(round.lasted_ms)) {
                text .axis x=(n(x(second * 1000))) y=(BOTTOM - 2.0) text-anchor="middle" { (second) " s" }
            }
            @for (number, mark) in (1..).zip(&round.marks) {
                line .mark x1=(n(x(mark.at_ms))) x2=(n(x(mark.at_ms))) y1=(TOP) y2=(TOP + HEIGHT) {}
                text .number x=(n(x(mark.at_ms))) y=(TOP - 4.0) text-anchor="middle" { (number) }
            }
            @for (number, site) in sites.iter().enumerate() {
                @if let Some(line) = of(site) {
                    path .line .(format!("site{number}")) d=(path(&line.series, round)) {}
                    @for (start, end) in failed(&line.series) {
                        rect .(format!("bad{number}")) x=(n(x(start * round.bucket_ms)))
                            width=(n((x(end * round.bucket_ms) - x(start * round.bucket_ms)).max(1.0)))
                            y=(n(STRIP + PART * number as f64)) height=(PART - 1.0) {}
                    }
                }
            }
        }
    }
}

fn place(ms: u64, lasted: u64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * (ms as f64 / lasted.max(1) as f64).min(1.0)
}

/// How far down a time stands: equal factors are equal distances.
fn height(ms: f64) -> f64 {
    TOP + HEIGHT * (1.0 - ms.clamp(1.0, 20_000.0).log10() / 20_000_f64.log10())
}

/// A line that breaks off where nothing was answered.
fn path(series: &Series, round: &Round) -> String {
    let mut text = String::new();
    let mut on = false;
    for (place_in, slowest) in series.slowest_ms.iter().enumerate() {
        if *slowest == 0 {
            on = false;
            continue;
        }
        let at = place_in as u64 * round.bucket_ms + round.bucket_ms / 2;
        let letter = if on { 'L' } else { 'M' };
        let (x, y) = (place(at, round.lasted_ms), height(f64::from(*slowest)));
        text.push_str(&format!("{letter}{x:.1} {y:.1}"));
        if !on {
            // A point alone is seen too.
            text.push_str("h0.1");
        }
        on = true;
    }
    text
}

/// From where to where answers failed, in points.
fn failed(series: &Series) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (place, count) in (0..).zip(&series.failed) {
        if *count == 0 {
            continue;
        }
        match spans.last_mut() {
            Some((_, end)) if *end == place => *end += 1,
            _ => spans.push((place, place + 1)),
        }
    }
    spans
}

/// From the first misfortune to when everything was whole again.
fn away(marks: &[Mark], lasted: u64) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    let mut begun = None;
    for mark in marks {
        if mark.what.contains("whole again") {
            spans.extend(begun.take().map(|begun| (begun, mark.at_ms)));
        } else {
            begun.get_or_insert(mark.at_ms);
        }
    }
    spans.extend(begun.map(|begun| (begun, lasted)));
    spans
}

/// How many seconds lie between two numbers below the plot.
fn step(lasted: u64) -> usize {
    match lasted / 1000 {
        0..12 => 2,
        12..30 => 5,
        30..80 => 10,
        _ => 30,
    }
}

fn n(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_off_where_nothing_was_answered() {
        let round = Round {
            lasted_ms: 1000,
            bucket_ms: 250,
            ..Round::default()
        };
        let series = Series {
            slowest_ms: vec![5, 5, 0, 7],
            ..Series::default()
        };
        let path = path(&series, &round);
        assert_eq!(
            (path.matches('M').count(), path.matches('L').count()),
            (2, 1)
        );
    }

    #[test]
    fn failures_side_by_side_are_one_bar() {
        let series = Series {
            failed: vec![0, 1, 2, 0, 3],
            ..Series::default()
        };
        assert_eq!(failed(&series), [(1, 3), (4, 5)]);
    }

    #[test]
    fn times_are_placed_by_their_magnitude() {
        assert!(height(1.0) > height(10.0) && height(10.0) > height(10_000.0));
        assert_eq!(height(0.1), height(1.0));
        assert!((height(1.0) - height(10.0) - (height(100.0) - height(1000.0))).abs() < 0.001);
    }
}
