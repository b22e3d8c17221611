//! What was seen, for a program, for a terminal and for a browser.

mod html;
mod plot;
mod table;
mod words;

use crate::check::{Findings, Webhooks};
use crate::engine::ENGINE;
use crate::reads::READS;
use crate::record::{Recorded, Series};
use crate::traffic::{DOWNLOADS, PARTNER};
use crate::whole::Whole;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What was counted, of one scenario or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Commands that were acknowledged.
    pub acknowledged: u64,
    /// Of these, how many some data centre does not show.
    pub lost: u64,
    /// How many some data centre shows more than once.
    pub doubled: u64,
    /// How often data centres differ.
    pub diverged: u64,
    /// How many were acknowledged as something else than is shown.
    pub unfaithful: u64,
    /// Good tokens that some data centre refused.
    pub tokens_refused: u64,
    /// Tokens that were taken back and were good somewhere.
    pub tokens_revived: u64,
    /// The longest time in which nothing of some protocol was acknowledged anywhere.
    pub longest_write_gap_ms: u64,
    /// By how much that was longer than what the engine alone needed in the same scenario.
    pub write_gap_over_engine_ms: u64,
    /// The longest time in which a data centre that had to answer reads answered none.
    pub longest_read_gap_ms: u64,
    /// The longest time that the engine alone took no message, or took to elect a leader of the platform's logs.
    pub engine_election_ms: u64,
    /// What clients saw and were not told to try again.
    pub errors: u64,
    /// The longest time from giving a data centre back until everything was everywhere again.
    pub redundant_again_ms: u64,
    /// By how many bytes the folders of data centres grew meanwhile.
    pub bytes_copied: u64,
    /// Those in a second, in millions.
    pub copied_mb_per_s: f64,
    /// What merchants were told.
    #[serde(flatten)]
    pub told: Webhooks,
}

/// What one protocol did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProtocolFigures {
    /// What it is called.
    pub name: String,
    /// Whether it changes something.
    pub writes: bool,
    /// How many were acknowledged or answered.
    pub acknowledged: u64,
    /// The longest time without one, anywhere.
    pub longest_gap_ms: u64,
    /// When that began.
    pub gap_began_ms: u64,
    /// Half took no longer than this, in milliseconds, from the first attempt on.
    pub p50_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// All.
    pub longest_ms: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, since the scenario's beginning.
    pub at_ms: u64,
    /// What.
    pub what: String,
}

/// One line of a plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The protocol.
    pub protocol: String,
    /// The data centre.
    pub site: String,
    /// Its points.
    #[serde(flatten)]
    pub series: Series,
}

/// One scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// What it is called.
    pub name: String,
    /// What happened.
    pub what: String,
    /// How long it lasted, in milliseconds.
    pub lasted_ms: u64,
    /// What was counted.
    #[serde(flatten)]
    pub figures: Figures,
    /// Errors by kind.
    pub errors_by_kind: BTreeMap<String, u64>,
    /// What was tried again, as told or since a data centre was away, by kind.
    pub retried_by_kind: BTreeMap<String, u64>,
    /// What was refused with good reason, by kind.
    #[serde(default)]
    pub refused_by_kind: BTreeMap<String, u64>,
    /// By protocol.
    pub protocols: Vec<ProtocolFigures>,
    /// By data centre: the longest time without an answered read.
    pub read_gaps_ms: BTreeMap<String, u64>,
    /// What happened when.
    pub marks: Vec<Mark>,
    /// How long one point of a line is, in milliseconds.
    pub bucket_ms: u64,
    /// The plots.
    pub lines: Vec<Line>,
    /// What was wrong, in words.
    pub problems: Vec<String>,
}

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The form of this file.
    pub version: u32,
    /// What was drawn by chance came from this.
    pub seed: u64,
    /// When it began, in seconds since 1970.
    pub begun: u64,
    /// How long it lasted so far, in seconds.
    pub seconds: u64,
    /// Whether it came to its end.
    pub finished: bool,
    /// How many processors the machine has.
    pub processors: usize,
    /// How many people chatted.
    pub people: u32,
    /// What was counted in all.
    #[serde(flatten)]
    pub figures: Figures,
    /// Errors by kind.
    pub errors_by_kind: BTreeMap<String, u64>,
    /// The scenarios, in their order.
    pub scenarios: Vec<Round>,
    /// Those that this machine cannot do, and why.
    pub skipped: BTreeMap<String, String>,
    /// What was wrong when everything was read once more at the end, in words.
    pub problems: Vec<String>,
}

/// Of so many that are acknowledged one may be refused, as for want of money.
const MAY_BE_REFUSED_ONE_IN: u64 = 100;

/// The form of the file that this program writes.
pub const VERSION: u32 = 1;

impl Figures {
    /// Adds what was found.
    pub fn find(&mut self, found: &Findings) {
        self.lost += found.lost;
        self.doubled += found.doubled;
        self.diverged += found.diverged;
        self.unfaithful += found.unfaithful;
        self.tokens_refused += found.tokens_refused;
        self.tokens_revived += found.tokens_revived;
        self.told.add(found.told);
    }

    fn add(&mut self, other: &Self, seconds: &mut f64) {
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.diverged += other.diverged;
        self.unfaithful += other.unfaithful;
        self.tokens_refused += other.tokens_refused;
        self.tokens_revived += other.tokens_revived;
        self.errors += other.errors;
        self.told.add(other.told);
        let max = |all: &mut u64, one: u64| *all = one.max(*all);
        max(&mut self.longest_write_gap_ms, other.longest_write_gap_ms);
        max(
            &mut self.write_gap_over_engine_ms,
            other.write_gap_over_engine_ms,
        );
        max(&mut self.longest_read_gap_ms, other.longest_read_gap_ms);
        max(&mut self.engine_election_ms, other.engine_election_ms);
        max(&mut self.redundant_again_ms, other.redundant_again_ms);
        self.bytes_copied += other.bytes_copied;
        if other.copied_mb_per_s > 0.0 {
            *seconds += other.bytes_copied as f64 / 1e6 / other.copied_mb_per_s;
        }
    }

    /// Whether nothing was wrong.
    pub fn held(&self) -> bool {
        let wrong = self.lost + self.doubled + self.diverged + self.unfaithful;
        wrong + self.tokens_refused + self.tokens_revived + self.errors == 0
    }
}

impl Round {
    /// What a recorder saw.
    pub fn seen(&mut self, recorded: Recorded, sites: &[String]) {
        for (name, seen) in &recorded.protocols {
            let writes = ![READS, ENGINE, DOWNLOADS, PARTNER].contains(name);
            self.protocols.push(ProtocolFigures {
                name: (*name).to_owned(),
                writes,
                acknowledged: seen.acknowledged,
                longest_gap_ms: seen.gap.longest_ms(),
                gap_began_ms: seen.gap.begun_ms(),
                p50_ms: tenths(seen.waits.within(0.5)),
                p99_ms: tenths(seen.waits.within(0.99)),
                longest_ms: seen.waits.longest_ms(),
            });
            for (site, series) in &seen.sites {
                self.lines.push(Line {
                    protocol: (*name).to_owned(),
                    site: sites[*site].clone(),
                    series: series.clone(),
                });
            }
            if writes {
                self.figures.acknowledged += seen.acknowledged;
                let gap = self.figures.longest_write_gap_ms.max(seen.gap.longest_ms());
                self.figures.longest_write_gap_ms = gap;
            }
        }
        for (site, gap) in &recorded.reads {
            self.read_gaps_ms
                .insert(sites[*site].clone(), gap.longest_ms());
        }
        let longest = self.read_gaps_ms.values().copied().max();
        self.figures.longest_read_gap_ms = longest.unwrap_or(0);
        self.figures.errors = recorded.errors.values().sum();
        self.errors_by_kind = recorded.errors;
        self.retried_by_kind = recorded.retried;
        let refused: u64 = recorded.refused.values().sum();
        if refused * MAY_BE_REFUSED_ONE_IN > self.figures.acknowledged + MAY_BE_REFUSED_ONE_IN {
            let text = format!("{refused} were refused with good reason: too many to prove much");
            self.problems.push(text);
        }
        self.refused_by_kind = recorded.refused;
        let marks = recorded.marks.into_iter();
        self.marks = marks.map(|(at_ms, what)| Mark { at_ms, what }).collect();
    }

    /// Everything was whole again, or is not.
    pub fn whole(&mut self, whole: Whole) {
        let took = crate::record::millis(whole.took);
        let figures = &mut self.figures;
        let seconds = match figures.copied_mb_per_s > 0.0 {
            true => figures.bytes_copied as f64 / 1e6 / figures.copied_mb_per_s,
            false => 0.0,
        };
        figures.bytes_copied += whole.bytes;
        if whole.bytes > 0 {
            let seconds = seconds + whole.took.as_secs_f64().max(0.001);
            figures.copied_mb_per_s = tenths(figures.bytes_copied as f64 / 1e6 / seconds);
        }
        figures.redundant_again_ms = figures.redundant_again_ms.max(took);
        if let Some(lacks) = whole.lacks {
            self.problems.push(format!("not whole again: {lacks}"));
        }
    }

    /// What the engine alone needed.
    pub fn engine(&mut self, election: Duration) {
        let figures = &mut self.figures;
        figures.engine_election_ms = crate::record::millis(election);
        figures.write_gap_over_engine_ms = figures
            .longest_write_gap_ms
            .saturating_sub(figures.engine_election_ms);
    }
}

impl Report {
    /// Adds a scenario.
    pub fn add(&mut self, round: Round) {
        for (kind, count) in &round.errors_by_kind {
            *self.errors_by_kind.entry(kind.clone()).or_default() += count;
        }
        self.scenarios.push(round);
        self.sum(&Findings::default());
    }

    /// Counts everything again, with what was found at the end.
    pub fn sum(&mut self, again: &Findings) {
        let mut all = Figures::default();
        let mut seconds = 0.0;
        for round in &self.scenarios {
            all.add(&round.figures, &mut seconds);
        }
        if seconds > 0.0 {
            all.copied_mb_per_s = tenths(all.bytes_copied as f64 / 1e6 / seconds);
        }
        all.find(again);
        self.figures = all;
        self.problems.clone_from(&again.problems);
    }

    /// How long it has lasted.
    pub fn lasted(&mut self, span: Duration) {
        self.seconds = span.as_secs();
    }

    /// Whether everything that was promised held.
    pub fn held(&self) -> bool {
        let rounds = self.scenarios.iter().all(|round| round.problems.is_empty());
        self.figures.held() && self.problems.is_empty() && rounds && !self.scenarios.is_empty()
    }

    /// Reads what [`Self::write_json`] wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let report: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no report of a drill", path.display()))?;
        anyhow::ensure!(
            report.version == VERSION,
            "{} has the form {}, and this program reads {VERSION}",
            path.display(),
            report.version
        );
        Ok(report)
    }

    /// Writes everything for a program.
    pub fn write_json(&self, path: &Path) -> Result<()> {
        put(path, &serde_json::to_string(self)?)
    }

    /// Writes the page.
    pub fn write_html(&self, path: &Path) -> Result<()> {
        put(path, &html::page(self))
    }

    /// The table.
    pub fn table(&self) -> String {
        table::table(self)
    }
}

/// As exact as it is worth while, and as it can be read again.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Writes a file whole or not at all.
fn put(path: &Path, text: &str) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// Says something to a person.
pub fn say(text: &str) {
    // Whoever closed the other end of a pipe does not want to hear more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
