//! Opening a lane's log, and deciding what to do about a damaged one.

use crate::data::{DataDir, Ended, Session};
use crate::say::Progress;
use anyhow::{Context, Result, bail};
use bongsu_base::Seq;
use bongsu_lane::view;
use bongsu_log::sqlite::{OpenError, Options, SqliteLog};
use std::path::Path;

/// Opens the log of `lane`, made if it is missing. This blocks. A damaged end is cut off where nobody
/// can have been told of it; any other damage is an error that says what to do.
pub fn open(data: &DataDir, lane: &'static str) -> Result<SqliteLog> {
    let path = data.log(lane);
    if !path.exists() && data.view(lane).exists() {
        bail!(
            "the log {} is missing, while the view made from it is there; put the log back, or restore a backup \
             with `bongsu restore`",
            path.display()
        );
    }
    let error = match SqliteLog::open(&path, options(lane, true)) {
        Ok((log, _)) => return Ok(log),
        Err(error) => error,
    };
    let OpenError::Damaged {
        seq,
        ref what,
        last_good,
        ..
    } = error
    else {
        return Err(error.into());
    };
    if let Err(why) = untold(&data.view(lane), last_good.seq) {
        let entry = format!(
            "the log {} is damaged at entry {seq}: {what}",
            path.display()
        );
        bail!(
            "{entry}; {why}, so it is not cut off. Restore a backup with `bongsu restore`; `bongsu verify` \
             looks for more damage"
        );
    }
    let cut = SqliteLog::cut_tail(&path, last_good.seq).with_context(|| {
        format!(
            "the log {} is damaged and its end cannot be cut off",
            path.display()
        )
    })?;
    tracing::warn!(
        log = %path.display(), cut, kept = last_good.seq.0, damage = what,
        "cut off the log's damaged end; nobody had been told of these entries",
    );
    Ok(SqliteLog::open(&path, options(lane, false))?.0)
}

/// How the log of `lane` is opened.
pub fn options(lane: &'static str, create: bool) -> Options {
    let progress = Progress::counting(format!("reading the log of {lane}"));
    let mut options = Options::new(lane);
    options.create = create;
    options.progress = Some(Box::new(move |done, total| progress.at(done, Some(total))));
    options
}

/// Whether nobody can have been told of anything after entry `last_good`: an answer is given once the
/// view has applied its entry, so the view must be sound, must have lost nothing since, and must not
/// have come further. Says why not.
fn untold(view: &Path, last_good: Seq) -> Result<(), String> {
    let (_, ended) = Session::look(view);
    if ended == Ended::Unknown {
        return Err(
            "the machine stopped since, and people may have been told of what follows".to_owned(),
        );
    }
    match view::check_file(view, |_| {}) {
        Ok(checked) if checked.progress.chain.seq <= last_good => Ok(()),
        Ok(checked) => Err(format!(
            "the view has applied entry {}, and people were told of it",
            checked.progress.chain.seq
        )),
        Err(error) => Err(format!(
            "what people were told of is not known, since the view is not sound ({error})"
        )),
    }
}
