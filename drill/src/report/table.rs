//! The table for a terminal.

use super::words::{bytes, count, span};
use super::{Figures, Report};
use std::fmt::Write;

/// Everything in one table, and what was wrong below it.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let head = [
        "scenario",
        "acknowledged",
        "lost",
        "doubled",
        "differ",
        "errors",
        "write gap",
        "engine",
        "read gap",
        "whole again",
        "copied",
        "MB/s",
    ];
    row(&mut text, &head.map(str::to_owned));
    for round in &report.scenarios {
        row(&mut text, &cells(&round.name, &round.figures));
    }
    row(&mut text, &cells("all", &report.figures));
    for round in &report.scenarios {
        for problem in &round.problems {
            line(&mut text, &format!("PROBLEM  {}: {problem}", round.name));
        }
        for (kind, number) in &round.errors_by_kind {
            line(
                &mut text,
                &format!("ERROR    {}: {kind}, {number} times", round.name),
            );
        }
    }
    for problem in &report.problems {
        line(&mut text, &format!("PROBLEM  at the end: {problem}"));
    }
    let told = &report.figures.told;
    let webhooks = format!(
        "webhooks {} received, {} of them refused at first, {} repeated, {} missing",
        count(told.webhooks_received),
        count(told.webhooks_refused),
        count(told.webhooks_repeated),
        count(told.webhooks_missing),
    );
    line(&mut text, &webhooks);
    for (name, why) in &report.skipped {
        line(&mut text, &format!("skipped  {name}: {why}"));
    }
    let verdict = match (report.held(), report.finished) {
        (false, _) => "Something that was promised did not hold.",
        (true, false) => "So far nothing that was acknowledged was lost, doubled or changed.",
        (true, true) => "Nothing that was acknowledged was lost, doubled or changed.",
    };
    let seed = format!("{verdict} {} s, seed {}.", report.seconds, report.seed);
    text.push_str(&seed);
    text
}

fn cells(name: &str, figures: &Figures) -> [String; 12] {
    [
        name.to_owned(),
        count(figures.acknowledged),
        count(figures.lost),
        count(figures.doubled),
        count(
            figures.diverged + figures.unfaithful + figures.tokens_refused + figures.tokens_revived,
        ),
        count(figures.errors),
        span(figures.longest_write_gap_ms),
        span(figures.engine_election_ms),
        span(figures.longest_read_gap_ms),
        span(figures.redundant_again_ms),
        bytes(figures.bytes_copied),
        format!("{:.1}", figures.copied_mb_per_s),
    ]
}

fn row(text: &mut String, cells: &[String; 12]) {
    let widths = [18, 12, 5, 7, 6, 6, 9, 7, 8, 11, 9, 6];
    for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let done = match place {
            0 => write!(text, "{cell:<width$}"),
            _ => write!(text, "  {cell:>width$}"),
        };
        done.expect("writes to memory");
    }
    text.push('\n');
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
