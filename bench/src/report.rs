//! What was measured, for a person and for a program.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use serde_json::{Value, json};
use std::time::Duration;

/// The rows so far.
pub struct Report {
    peer: String,
    rows: Vec<Value>,
}

/// What a figure of ours stands beside.
#[derive(Clone, Copy)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// What the peer reached in the same run.
    Peer(f64),
    /// What is to be reached.
    Aim(f64),
}

impl Report {
    /// `peer` is the peer's name and version.
    pub fn new(peer: &str) -> Self {
        println!("{:58} {:>12} {:>12} {:>8}", "", "ours", "beside", "ratio");
        let peer = peer.to_owned();
        Self {
            peer,
            rows: Vec::new(),
        }
    }

    /// Notes one figure, and prints it.
    pub fn row(&mut self, name: &str, unit: &str, ours: f64, beside: Beside) {
        let (peer, value) = match beside {
            Beside::Nothing => (None, None),
            Beside::Peer(value) => (Some(self.peer.as_str()), Some(value)),
            Beside::Aim(value) => (Some("aim"), Some(value)),
        };
        let ratio = value
            .filter(|value| *value > 0.0)
            .map(|value| round(ours / value));
        let label = format!("{name}, {unit}");
        let aim = if matches!(beside, Beside::Aim(_)) {
            " (aim)"
        } else {
            ""
        };
        let show =
            |value: Option<f64>| value.map_or(String::new(), |value| round(value).to_string());
        println!(
            "{label:58} {:>12} {:>12} {:>8}{aim}",
            round(ours),
            show(value),
            show(ratio)
        );
        self.rows.push(json!({
            "name": name, "unit": unit, "ours": round(ours), "peer": peer,
            "peer_value": value.map(round), "ratio": ratio,
        }));
    }

    /// All rows.
    pub fn into_rows(self) -> Vec<Value> {
        self.rows
    }
}

/// Three digits that matter, or all before the point.
fn round(value: f64) -> f64 {
    let digits = match value.abs() {
        value if value >= 100.0 => 1.0,
        value if value >= 10.0 => 10.0,
        value if value >= 1.0 => 100.0,
        _ => 1000.0,
    };
    (value * digits).round() / digits
}

/// The latency within which `share` of all stay, in milliseconds. `sorted` holds at least one.
pub fn at(sorted: &[Duration], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0
}
