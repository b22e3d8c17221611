//! `bongsu verify`: everything is read and compared with what was written.

mod replay;
pub mod sites;

use crate::cli::Verify;
use crate::data::{DataDir, Installation, Lock};
use crate::say::{self, Progress};
use crate::wiring::{log_options, snapshot_store};
use anyhow::{Context, Result};
use bongsu_base::Seq;
use bongsu_identity::Identity;
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::view::{self, Checked};
use bongsu_lane::{Domain, Offload};
use bongsu_log::sqlite::SqliteLog;
use bongsu_log::{Bounds, Log};
use bongsu_media::{Limits, Media};
use bongsu_pay::Pay;
use bongsu_talk::Talk;
use rusqlite::{Connection, OpenFlags};
use std::sync::Arc;

/// Logs of fewer entries than this are applied again without being asked to.
const SHORT: u64 = 200_000;

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    problems: Vec<String>,
}

impl Report {
    fn problem(&mut self, text: impl Into<String>) {
        let text = text.into();
        say::line(format_args!("PROBLEM  {text}"));
        self.problems.push(text);
    }

    fn good(&self, text: impl std::fmt::Display) {
        say::line(format_args!("ok       {text}"));
    }

    /// Says how many problems there are; whether there is none.
    fn end(&self) -> bool {
        match self.problems.len() {
            0 => say::line("Everything is as it was written."),
            1 => say::line("1 problem."),
            count => say::line(format_args!("{count} problems.")),
        }
        self.problems.is_empty()
    }
}

/// Reads everything in `data`; gives whether all of it is as it was written.
pub async fn verify(data: &DataDir, asked: &Verify) -> Result<bool> {
    data.expect()?;
    let _lock = Lock::take(data, "verify")?;
    let mut report = Report::default();
    match Installation::read(data) {
        Ok(Some(installation)) => {
            report.good(format_args!("installation `{}`", installation.server_name))
        }
        Ok(None) => anyhow::bail!("{} holds no data of Bongsu", data.root().display()),
        Err(error) => report.problem(format!("{error:#}")),
    }
    lane::<Identity>(data, asked.deep, &mut report).await?;
    lane::<Talk>(data, asked.deep, &mut report).await?;
    lane::<Pay>(data, asked.deep, &mut report).await?;
    media(data, &mut report).await?;
    Ok(report.end())
}

async fn lane<D: Domain>(data: &DataDir, deep: Option<bool>, report: &mut Report) -> Result<()> {
    let log = check_log::<D>(data, report).await?;
    let view = check_view::<D>(data, report).await?;
    if view.is_some() {
        check_audit::<D>(data, report)?;
    }
    check_snapshots::<D>(data, report).await?;
    let (Some((log, bounds)), Some(view)) = (log, view) else {
        return Ok(());
    };
    if !follows::<D>(data, &log, &bounds, &view, report).await? {
        return Ok(());
    }
    let length = bounds.last.next().0 - bounds.first.0;
    if !deep.unwrap_or(length < SHORT) {
        report.good(format_args!(
            "the log of {} was not applied again: it has {length} entries (--deep)",
            D::NAME
        ));
        return Ok(());
    }
    match replay::replay::<D>(data, log, bounds, view.progress.chain.seq).await? {
        Ok(digest) if digest == view.progress.digest => {
            report.good(format_args!("the log of {}, applied again, gives the same state", D::NAME));
        }
        Ok(digest) => report.problem(format!(
            "{}: the log, applied again up to entry {}, gives the state {digest}, and the view has {}",
            data.view(D::NAME).display(),
            view.progress.chain.seq,
            view.progress.digest
        )),
        Err(why) => report.problem(format!("{}: it cannot be applied again: {why}", data.log(D::NAME).display())),
    }
    Ok(())
}

async fn check_log<D: Domain>(
    data: &DataDir,
    report: &mut Report,
) -> Result<Option<(Arc<SqliteLog>, Bounds)>> {
    let path = data.log(D::NAME);
    if !path.exists() {
        report.problem(format!("{}: the log is missing", path.display()));
        return Ok(None);
    }
    let open = move || SqliteLog::open(&path, log_options(D::NAME, false));
    match tokio::task::spawn_blocking(open).await? {
        Ok((log, opened)) => {
            let Bounds { first, last, .. } = opened.bounds;
            match first > last {
                true => report.good(format_args!(
                    "the log of {}: nothing after entry {last}",
                    D::NAME
                )),
                false => report.good(format_args!(
                    "the log of {}: entries {first} to {last}",
                    D::NAME
                )),
            }
            Ok(Some((Arc::new(log), opened.bounds)))
        }
        Err(error) => {
            report.problem(error.to_string());
            Ok(None)
        }
    }
}

async fn check_view<D: Domain>(data: &DataDir, report: &mut Report) -> Result<Option<Checked>> {
    let path = data.view(D::NAME);
    let progress = Progress::counting(format!("checking the view of {}", D::NAME));
    let file = path.clone();
    let checked = tokio::task::spawn_blocking(move || {
        view::check_file(&file, |rows| progress.at(rows, None))
    });
    match checked.await? {
        Ok(checked) => {
            report.good(format_args!(
                "the view of {}: {} rows, up to entry {}",
                D::NAME,
                checked.rows,
                checked.progress.chain.seq
            ));
            Ok(Some(checked))
        }
        Err(error) => {
            report.problem(format!(
                "{}: {error}; it is made again when the server starts",
                path.display()
            ));
            Ok(None)
        }
    }
}

/// Whether the audit log is what was written, line by line.
fn check_audit<D: Domain>(data: &DataDir, report: &mut Report) -> Result<()> {
    let path = data.view(D::NAME);
    let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if !db.table_exists(None, "audit")? {
        // The view was last used by an earlier release.
        return Ok(());
    }
    match bongsu_audit::check(&db)? {
        Ok(lines) => report.good(format_args!(
            "the audit log of {}: {lines} lines, each following from those before it",
            D::NAME
        )),
        Err(line) => report.problem(format!(
            "{}: line {line} of the audit log does not follow from those before it",
            path.display()
        )),
    }
    Ok(())
}

/// Whether the view was made from this log: it has not come further, and agrees on the entry it
/// applied last.
async fn follows<D: Domain>(
    data: &DataDir,
    log: &SqliteLog,
    bounds: &Bounds,
    view: &Checked,
    report: &mut Report,
) -> Result<bool> {
    let chain = view.progress.chain;
    let name = data.view(D::NAME);
    if chain.seq > bounds.last {
        report.problem(format!(
            "{}: it has applied entry {}, but the log ends at entry {}: acknowledged entries are missing from {}",
            name.display(), chain.seq, bounds.last, data.log(D::NAME).display()
        ));
        return Ok(false);
    }
    if chain.seq.next() < bounds.first {
        report.problem(format!(
            "{}: it has come to entry {}, but the log begins at entry {}",
            name.display(),
            chain.seq,
            bounds.first
        ));
        return Ok(false);
    }
    let link = if chain.seq == bounds.last {
        Some(bounds.link)
    } else if chain.seq >= bounds.first {
        log.read(Seq(chain.seq.0 - 1), 1)
            .await?
            .first()
            .map(|entry| entry.link)
    } else {
        None
    };
    if link.is_some_and(|link| link != chain.link) {
        report.problem(format!(
            "{}: it was made from another log: entry {} differs",
            name.display(),
            chain.seq
        ));
        return Ok(false);
    }
    report.good(format_args!(
        "the view of {} was made from its log",
        D::NAME
    ));
    Ok(true)
}

async fn check_snapshots<D: Domain>(data: &DataDir, report: &mut Report) -> Result<()> {
    let folder = data.snapshots();
    if !folder.is_dir() {
        return Ok(());
    }
    let snapshots = Snapshots::new(snapshot_store(&folder)?, D::NAME);
    let scratch = tempfile::tempdir().context("no place for temporary files")?;
    for manifest in snapshots.list().await? {
        let target = scratch.path().join("view.sqlite");
        match snapshots
            .restore(&manifest, &target, D::MIGRATIONS.len(), Offload::Thread)
            .await
        {
            Ok(()) => report.good(format_args!(
                "the snapshot of {} at entry {}",
                D::NAME,
                manifest.seq
            )),
            Err(error) => report.problem(format!("{}: {error}", folder.join(D::NAME).display())),
        }
    }
    Ok(())
}

async fn media(data: &DataDir, report: &mut Report) -> Result<()> {
    let folder = data.media();
    if !folder.is_dir() {
        return Ok(());
    }
    let media = Media::local(&folder, Limits::default())?;
    let progress = Progress::bytes("reading the media");
    let verified = media
        .verify(|done, total| progress.at(done, Some(total)))
        .await?;
    report.good(format_args!(
        "{} media files, {} bytes",
        verified.good, verified.bytes
    ));
    for error in verified.bad {
        report.problem(format!("{}: {error}", folder.display()));
    }
    for stranger in verified.strangers {
        report.problem(format!(
            "{}: it is no media file; remove it",
            folder.join(stranger).display()
        ));
    }
    Ok(())
}
