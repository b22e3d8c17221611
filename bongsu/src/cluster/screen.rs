//! What the operator of a cluster sees: a table at the top of the terminal that is drawn again and again,
//! and what happens below it; or, without a terminal, one line a change.

use super::plan::{Plan, SITES};
use super::site::{RunningSite, State};
use crate::health::DomainHealth;
use crate::say;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

/// Lines of the table: a head, the data centres, and a rule.
const LINES: usize = SITES + 2;

/// Where the cluster is shown.
#[derive(Debug)]
pub struct Screen {
    drawn: bool,
    last: String,
}

impl Screen {
    /// The terminal, if there is one and `headless` does not say otherwise.
    pub fn new(headless: bool) -> Self {
        Self {
            drawn: !headless && std::io::stdout().is_terminal(),
            last: String::new(),
        }
    }

    /// Makes room for the table, and says what can be done.
    pub fn begin(&self, plan: &Plan) {
        if self.drawn {
            // Clear all (ECMA-48: ED, CUP), and let only what is below the table scroll (DECSTBM).
            put(&format!("\x1b[2J\x1b[{};r\x1b[{};1H", LINES + 1, LINES + 1));
        }
        say::line(format_args!(
            "three data centres in {}",
            plan.dir().display()
        ));
        if self.drawn {
            say::line(super::words::HELP);
        }
    }

    /// Gives the whole terminal back.
    pub fn end(&self) {
        if self.drawn {
            put("\x1b7\x1b[r\x1b8");
        }
    }

    /// Says one thing that happened.
    pub fn say(&self, text: &str) {
        say::line(text);
    }

    /// Draws the table, if it has changed.
    pub fn draw(&mut self, sites: &[RunningSite]) {
        if !self.drawn {
            return;
        }
        let table = table(sites);
        if table != self.last {
            // The cursor is kept where the operator types (DECSC, DECRC).
            put(&format!("\x1b7\x1b[1;1H{table}\x1b8"));
            self.last = table;
        }
    }
}

fn table(sites: &[RunningSite]) -> String {
    let mut text = String::from(
        "\x1b[2K\x1b[1mdata centre  state      serves at                    applied\x1b[0m\r\n",
    );
    for site in sites {
        let colour = match site.state() {
            State::Ready => 32,
            State::Starting | State::Detached => 33,
            State::Cut | State::Frozen | State::Burnt => 31,
        };
        let domains = site
            .readiness()
            .map(|readiness| readiness.domains.as_slice());
        let applied: Vec<String> = domains.unwrap_or_default().iter().map(applied).collect();
        let line = write!(
            text,
            "\x1b[2K{:<11}  \x1b[{colour}m{:<9}\x1b[0m  {:<27}  {}\r\n",
            site.name(),
            site.state(),
            format!("http://{}", site.address()),
            applied.join("  ")
        );
        line.expect("writes to memory");
    }
    text.push_str("\x1b[2K");
    text.push_str(&"─".repeat(72));
    text
}

fn applied(domain: &DomainHealth) -> String {
    format!("{} {}", domain.domain, domain.applied)
}

fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    // A terminal that is gone needs no table.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
