//! What the tests of the SQLite log share.

use bongsu_base::{LogTime, Seq};
use bongsu_log::sqlite::{OpenError, Opened, Options, SqliteLog};
use bongsu_log::{Entry, Log};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;

/// Options with a clock that stands still.
pub fn options() -> Options {
    Options {
        clock: Arc::new(|| LogTime(1_000)),
        ..Options::new("test")
    }
}

pub fn open(path: &Path) -> SqliteLog {
    opened(path, options()).0
}

pub fn opened(path: &Path, options: Options) -> (SqliteLog, Opened) {
    SqliteLog::open(path, options).unwrap_or_else(|error| panic!("{error}"))
}

pub fn open_error(path: &Path) -> OpenError {
    match SqliteLog::open(path, options()) {
        Ok(_) => panic!("{} opened", path.display()),
        Err(error) => error,
    }
}

pub async fn append(log: &impl Log, body: impl Into<Bytes>) -> Seq {
    log.append(body.into()).await.expect("appended")
}

/// All entries after `after`, some at a time.
pub async fn all(log: &impl Log, mut after: Seq) -> Vec<Entry> {
    let mut entries = Vec::new();
    loop {
        let more = log.read(after, 2_000).await.expect("read");
        match more.last() {
            Some(last) => after = last.seq,
            None => return entries,
        }
        entries.extend(more);
    }
}

pub fn bodies(entries: &[Entry]) -> Vec<Bytes> {
    entries.iter().map(|entry| entry.body.clone()).collect()
}

/// A runtime for tests that are not async themselves.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}
