//! What can be asked of the drill.

use clap::Args;
use std::path::PathBuf;

/// `bongsu fire`.
#[derive(Debug, Args)]
pub struct Fire {
    /// What is to happen; several with commas between them [default: each of --list once]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub scenario: Vec<String>,
    /// Go on, from the first scenario again, until so many seconds have passed
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub seconds: u64,
    /// Number from which everything that is drawn by chance comes: which data centre, and in what order
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Write what was seen to this file, after each scenario
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a page with plots, for a browser, to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Burn nothing; read a file that --json wrote, print its table, and write its page with --html
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "seconds", "json", "list"])]
    pub read: Option<PathBuf>,
    /// Burn nothing; say which scenarios there are
    #[arg(long)]
    pub list: bool,
    /// How many people chat
    #[arg(long, value_name = "COUNT", default_value_t = 96, value_parser = clap::value_parser!(u32).range(3..=300))]
    pub people: u32,
    /// How many messages a second they send, all together
    #[arg(long, value_name = "COUNT", default_value_t = 750, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub rate: u32,
    /// Folder for the three data centres, kept afterwards [default: one that is deleted, unless something was lost]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
