//! A small domain and the scaffolding to run lanes of it over a log in memory.

use bongsu_base::{ProcessId, RecordId, Seed};
use bongsu_lane::{
    Actor, Cx, Decision, Domain, Lane, Offload, OpenError, Options, Priority, ReadView, Refusal,
    Request, SubmitError, Topic, View,
};
use bongsu_log::Log;
use bongsu_log::memory::{Faults, MemoryLog};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Counters with names, and ways to go wrong.
#[derive(Debug)]
pub struct Tally;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// Adds to a counter; twice as much from behaviour 2 on.
    Add(String, i64),
    /// Takes from a counter that has enough.
    Take(String, i64),
    /// Writes something, reads it with an open statement, and panics.
    Panic,
    /// Writes two rows with one key.
    Break,
    /// Keeps so many bytes.
    Keep(usize),
    /// From now on, this connection's file may have so many pages.
    Limit(i64),
    /// Asks for something outside.
    Ring(String),
    /// Asks for something outside, and refuses.
    RingAndRefuse,
    /// Panics with more positions than an entry has.
    Positions,
    /// Sets a counter to nothing; known since behaviour 2.
    Empty(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("there are only {has}")]
pub struct TooFew {
    pub has: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bell(pub String);

impl Domain for Tally {
    const NAME: &'static str = "tally";
    const VERSION: u32 = 2;
    const MIGRATIONS: &'static [&'static str] = &[
        "CREATE TABLE tally (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
         INSERT INTO tally VALUES ('first', 0);",
        "CREATE TABLE kept (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",
    ];
    type Command = Ask;
    type Accepted = i64;
    type Rejected = TooFew;
    type Effect = Bell;

    fn since(ask: &Ask) -> u32 {
        if matches!(ask, Ask::Empty(_)) { 2 } else { 1 }
    }

    fn apply(cx: &mut Cx<'_, Self>, ask: Ask) -> Result<i64, Refusal<TooFew>> {
        match ask {
            Ask::Add(name, amount) => {
                let amount = if cx.version() >= 2 {
                    2 * amount
                } else {
                    amount
                };
                cx.wake(Topic::of("tally", &name));
                Ok(change(cx, &name, amount)?)
            }
            Ask::Take(name, amount) => {
                // Written first, so that the refusal has something to undo.
                let left = change(cx, &name, -amount)?;
                if left < 0 {
                    return Err(Refusal::Rejected(TooFew { has: left + amount }));
                }
                Ok(left)
            }
            Ask::Panic => {
                change(cx, "panic", 1)?;
                cx.wake(Topic::of("tally", "panic"));
                let mut statement = cx
                    .db()
                    .prepare_cached("SELECT name FROM tally ORDER BY name")?;
                let mut rows = statement.query(())?;
                assert!(
                    rows.next()?.is_none(),
                    "a rule that panics in the middle of a read"
                );
                Ok(0)
            }
            Ask::Break => {
                change(cx, "break", 1)?;
                cx.db()
                    .execute("INSERT INTO tally VALUES ('new', 1), ('break', 1)", ())?;
                Ok(0)
            }
            Ask::Keep(len) => {
                cx.db()
                    .prepare_cached("INSERT INTO kept (bytes) VALUES (zeroblob(?1))")?
                    .execute([len as i64])?;
                Ok(len as i64)
            }
            Ask::Limit(pages) => {
                cx.db().pragma_update(None, "max_page_count", pages)?;
                Ok(pages)
            }
            Ask::Ring(text) => {
                cx.effect(&Bell(text))?;
                Ok(0)
            }
            Ask::RingAndRefuse => {
                cx.effect(&Bell("never".into()))?;
                Err(Refusal::Rejected(TooFew { has: 0 }))
            }
            Ask::Positions => {
                while cx.position().as_i64() >= 0 {}
                Ok(0)
            }
            Ask::Empty(name) => {
                cx.db()
                    .prepare_cached("DELETE FROM tally WHERE name = ?1")?
                    .execute([name])?;
                Ok(0)
            }
        }
    }
}

fn change(cx: &Cx<'_, Tally>, name: &str, by: i64) -> rusqlite::Result<i64> {
    cx.db()
        .prepare_cached(
            "INSERT INTO tally VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET amount = amount + excluded.amount RETURNING amount",
        )?
        .query_row((name, by), |row| row.get(0))
}

pub fn amount(view: &ReadView<'_>, name: &str) -> rusqlite::Result<i64> {
    let sum = "SELECT coalesce(sum(amount), 0) FROM tally WHERE name = ?1";
    view.db().query_row(sum, [name], |row| row.get(0))
}

pub fn id(n: u64) -> RecordId {
    RecordId::named(&["test"], &n.to_string())
}

pub fn ask(n: u64, command: Ask) -> Request<Ask> {
    Request {
        id: id(n),
        actor: Actor::Nobody,
        priority: Priority::Normal,
        command,
    }
}

pub fn add(n: u64, name: &str, amount: i64) -> Request<Ask> {
    ask(n, Ask::Add(name.into(), amount))
}

pub fn memory_log(faults: Faults) -> MemoryLog {
    MemoryLog::new(Seed::from_bytes([7; 32]), faults)
}

/// A place for views.
pub struct Place {
    dir: TempDir,
    pub log: MemoryLog,
}

impl Place {
    pub fn new() -> Self {
        Self::with(Faults::NONE)
    }

    pub fn with(faults: Faults) -> Self {
        Self {
            dir: TempDir::new().expect("a temporary folder"),
            log: memory_log(faults),
        }
    }

    pub fn view(&self, site: &str) -> PathBuf {
        self.dir.path().join(format!("{site}.sqlite"))
    }

    /// How the lane at `site` runs: everything on the spot, so that the paused clock is the only one.
    pub fn options(&self, site: &str) -> Options {
        Options {
            process: process(site),
            offload: Offload::Inline,
            durable_view: false,
            ..Options::new(self.view(site))
        }
    }

    pub async fn open(&self, site: &str) -> Site {
        self.open_with(self.options(site))
            .await
            .expect("the lane opens")
    }

    pub async fn open_with(&self, options: Options) -> Result<Site, OpenError> {
        Site::open(Arc::new(self.log.clone()), options).await
    }
}

pub fn process(site: &str) -> ProcessId {
    ProcessId::from_bytes(*RecordId::named(&["process"], site).as_bytes())
}

/// A lane that runs.
pub struct Site {
    pub lane: Lane<Tally>,
    pub how: View,
    task: JoinHandle<()>,
}

impl Site {
    pub async fn open(log: Arc<dyn Log>, options: Options) -> Result<Self, OpenError> {
        let (lane, runner, how) = Lane::open(log, options).await?;
        Ok(Self {
            lane,
            how,
            task: tokio::spawn(runner.run()),
        })
    }

    pub async fn submit(&self, request: Request<Ask>) -> Result<Decision<Tally>, SubmitError> {
        self.lane.submit(request).await
    }

    pub async fn add(&self, n: u64, name: &str, amount: i64) -> i64 {
        self.submit(add(n, name, amount))
            .await
            .expect("decided")
            .outcome
            .expect("accepted")
    }

    pub async fn amount(&self, name: &str) -> i64 {
        self.lane
            .read(|view| amount(view, name))
            .await
            .expect("the view can be read")
    }

    /// Waits for the end of a lane that has stopped by itself.
    pub async fn task_ended(self) {
        self.task.await.expect("the loops end by themselves");
    }

    /// Ends the process without a word.
    pub async fn kill(self) {
        self.task.abort();
        assert!(
            self.task.await.is_err_and(|end| end.is_cancelled()),
            "it was running"
        );
    }

    /// Ends it the way an operator does.
    pub async fn close(self) {
        self.lane.close().await;
        self.task.await.expect("the loops end by themselves");
    }
}
