//! The command line.

mod administer;
mod pay;
mod sign_in;

pub use administer::{Audit, How, MediaVerb, ReportVerb, RoomVerb, Shown, Target, UserVerb};
pub use pay::{
    DisputeVerb, MerchantVerb, MoneyVerb, PayVerb, Reconcile, ReviewVerb, RuleVerb, Statement,
    WalletVerb, WebhookVerb,
};
pub use sign_in::{AddClient, ClientVerb, KeysVerb};

use crate::bank::BankArgs;
use crate::certificates::CertificatesVerb;
use crate::cluster::ClusterArgs;
use crate::config::Layer;
use crate::restore_log::RestoreLog;
use bongsu_drill::Fire;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Begin:
  bongsu serve --registration open        serve on 127.0.0.1:8008, everybody may sign up
  bongsu user add mina                    make an account; prints its password once

Administer, while it runs or not:
  bongsu user list | room list | media list | report list
  bongsu user lock mina --reason 'asked to'
  bongsu client add Shop --redirect-uri https://shop.example/signed-in
  bongsu room shutdown '!id:host' --notice 'This room is closed.' --replace
  bongsu audit                            what operators did

Keep it safe:
  bongsu backup /mnt/backup               copy everything, while it runs or not
  bongsu restore /mnt/backup --data new   make a new data folder of a backup
  bongsu verify                           read everything and compare it with what was written
  bongsu doctor                           look at the machine and say what to do

Let it burn:
  bongsu cluster                          three data centres on this machine; type `burn dc2`
  bongsu fire                             burn them in every way, and count what was lost

Every option of `serve` may stand in a file (`--config`) or in the environment (`BONGSU_LISTEN` for
`--listen`) under the same name; a flag outweighs the environment, and that outweighs the file.";

/// A platform for a country's everyday life: sign in and talk, with any Matrix client
#[derive(Debug, Parser)]
#[command(name = "bongsu", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// Read options from this TOML file; the environment calls it BONGSU_CONFIG
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve until it is told to stop (SIGTERM, or Ctrl-C)
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<Layer>),
    /// Look after people's accounts
    #[command(subcommand)]
    User(UserVerb),
    /// Look after rooms
    #[command(subcommand)]
    Room(RoomVerb),
    /// Look after what people uploaded
    #[command(subcommand)]
    Media(MediaVerb),
    /// Look after what people reported
    #[command(subcommand)]
    Report(ReportVerb),
    /// Look after the services that people sign in to with their account here
    #[command(subcommand)]
    Client(ClientVerb),
    /// Look after the keys with which sign-in for other services is signed
    #[command(subcommand)]
    Keys(KeysVerb),
    /// Look after money: merchants, wallets, limits, and the proof that the books are in order
    #[command(subcommand)]
    Pay(PayVerb),
    /// Show what operators did, newest first
    Audit(Audit),
    /// Copy everything into DIR, while it runs or not
    ///
    /// A folder that holds an earlier backup of the same installation is brought up to date: only
    /// files that are new since then are copied. The backup is whole once its manifest.json is there.
    Backup(Backup),
    /// Make a new data folder of the backup in DIR
    ///
    /// Everything is compared with the backup's manifest while it is copied. The data folder has to
    /// be missing or empty.
    Restore(Restore),
    /// Read everything and compare it with what was written
    ///
    /// Checks every log entry against its chain, every view's structure and digest, every snapshot and
    /// every media file, and (for logs that are not too long, or with --deep) applies the logs again
    /// and compares what comes out. Names each problem with its file; exits with 1 if there is one.
    /// The server must not run on the same data.
    Verify(Verify),
    /// Look at the machine and the data and say what to do
    Doctor(Place),
    /// Make the certificates by which data centres know each other
    #[command(subcommand)]
    Certificates(CertificatesVerb),
    /// Make the engine's logs again of the copies that data centres hold, after the engine lost something
    ///
    /// For an installation in several data centres, all of them stopped; --config names the file of one. Each log
    /// goes on in a new stream, one epoch later, with everything that its longest copy holds. Copies that disagree
    /// are refused, and so is giving up what only the engine has, unless --give-up-newer says so.
    RestoreLog(RestoreLog),
    /// Run a bank that is not one, to try payments: no real money moves
    ///
    /// It carries out the orders that `[pay.bank] kind = "http"` sends it, each once, and keeps them in DIR/bank.sqlite.
    /// It stands outside of the data centres, as a bank does, and can be told to lose orders and answers. Accounts whose
    /// number ends in 9001 do not exist, in 9004 are closed, in 9006 are blocked, and in 9007 have too little on them.
    Bank(BankArgs),
    /// Run three data centres on this machine, to see what happens when one of them burns
    ///
    /// Data centre N serves on 127.0.N.1:8008. While it runs, `burn dc2`, `cut dc2` and `heal dc2` can be
    /// typed, and `help` says what else. The process ids stand in DIR/dcN/nats.pid and DIR/dcN/bongsu.pid, and that
    /// of the bank, which is simulated, in DIR/bank/bank.pid.
    Cluster(ClusterArgs),
    /// Hold the fire drill: burn data centres on this machine under load, and count what was lost
    ///
    /// Starts three data centres in a folder of its own, has people chat, sign in and upload files, and lets
    /// one misfortune after the other happen. After each it looks in every data centre for everything that was
    /// acknowledged. Ends with a table; exits with 1 if anything was lost, doubled or changed, or if a client
    /// saw an error that it was not told to repeat.
    #[command(after_help = FIRE_EXAMPLES)]
    Fire(Fire),
    /// Print the description of this program's own interfaces (OpenAPI 3.1, JSON)
    Openapi,
    /// Print what of the Matrix client-server API is served (Markdown)
    #[command(hide = true)]
    Operations,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  bongsu serve --registration open
  bongsu serve --server-name chat.example --listen 0.0.0.0:8008 --data /var/lib/bongsu
  BONGSU_REGISTRATION_TOKEN=secret bongsu serve --registration token
  bongsu serve --config /etc/bongsu.toml

A file has the same names with underscores:
  server_name = \"chat.example\"
  listen = \"0.0.0.0:8008\"
  registration = \"closed\"";

const FIRE_EXAMPLES: &str = "\
Examples:
  bongsu fire --html fire.html
  bongsu fire --scenario kill-site,cut,wipe
  bongsu fire --scenario random --seed 7 --seconds 3600 --json soak.json
  bongsu fire --read soak.json --html soak.html";

/// `bongsu backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// Where the backup goes; made if it is missing
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    /// Where the data are.
    #[command(flatten)]
    pub place: Place,
}

/// `bongsu restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Where the backup is
    #[arg(value_name = "DIR")]
    pub from: PathBuf,
    /// Where the data go.
    #[command(flatten)]
    pub place: Place,
}

/// `bongsu verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Apply the logs again whatever their length (`--deep`), or not at all (`--deep=false`); without
    /// this, logs of fewer than 200,000 entries are
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub deep: Option<bool>,
    /// Compare the data centres with one another instead, while they run; --config names the file of one
    #[arg(long, conflicts_with = "deep")]
    pub all_sites: bool,
    /// Where the data are.
    #[command(flatten)]
    pub place: Place,
}

/// Which data folder.
#[derive(Debug, Default, Args)]
pub struct Place {
    /// Folder with the data [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl From<Place> for Layer {
    fn from(place: Place) -> Self {
        Self {
            data: place.data,
            ..Self::default()
        }
    }
}
