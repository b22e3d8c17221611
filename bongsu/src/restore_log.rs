//! `bongsu restore-log`: the engine's logs made again of what data centres hold.

use crate::config::Config;
use crate::data::{DataDir, Lock};
use crate::say;
use crate::wiring::{Abroad, LANES, forget_log, stream_id};
use anyhow::{Context, Result, anyhow, bail, ensure};
use bongsu_log::jetstream::{RestoreError, Restored, Restoring};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `bongsu restore-log`.
#[derive(Debug, Args)]
pub struct RestoreLog {
    /// Copies of the logs: files called talk.sqlite, identity.sqlite and pay.sqlite from the `log` folders of data centres
    #[arg(value_name = "COPY", required = true)]
    pub copies: Vec<PathBuf>,
    /// Give up entries that the engine still has and none of the copies
    #[arg(long)]
    pub give_up_newer: bool,
}

/// Makes new streams of the copies, each log's longest one.
pub async fn run(asked: &RestoreLog, config: &Config) -> Result<()> {
    let abroad = Abroad::of(config).await?;
    let abroad = abroad.context("--config names no file of one of several data centres")?;
    let mut by_lane: BTreeMap<&'static str, Vec<PathBuf>> = BTreeMap::new();
    for copy in &asked.copies {
        let lane = lane_of(copy)?;
        by_lane.entry(lane).or_default().push(copy.clone());
    }
    for (lane, copies) in by_lane {
        restore(&abroad, lane, copies, asked.give_up_newer).await?;
    }
    Ok(())
}

/// Moves the data in `data`, which were those of a single machine, into the engine, if there is one: the logs go on there.
/// Says whether they do.
pub async fn move_in(data: &DataDir, config: &Config) -> Result<bool> {
    let Some(abroad) = Abroad::of(config).await? else {
        return Ok(false);
    };
    let _lock = Lock::take(data, "restore")?;
    for lane in LANES {
        let log = data.log(lane);
        if !log.exists() && !data.view(lane).exists() {
            // The data are older than the lane: whoever starts first makes its log.
            say::line(format_args!("{lane}: nothing yet"));
            continue;
        }
        let moved = restore(&abroad, lane, vec![log.clone()], false).await;
        moved.with_context(|| {
            let root = data.root().display();
            format!("the logs do not go on in the engine yet; empty {root} and restore again")
        })?;
        // What this data centre's copy of the log begins with is written anew, from its view.
        forget_log(&log)?;
    }
    Ok(true)
}

async fn restore(
    abroad: &Abroad,
    lane: &'static str,
    copies: Vec<PathBuf>,
    give_up_newer: bool,
) -> Result<()> {
    let what = Restoring {
        name: lane.to_owned(),
        copies,
        id: stream_id()?,
        give_up_newer,
    };
    let servers = abroad.sites.engine.servers.join(", ");
    let tell = |why: &str| {
        say::line(format_args!(
            "{lane}: waiting for the engine ({servers}): {why}"
        ));
    };
    let restored = bongsu_log::jetstream::restore(&*abroad.engine(lane), what, &tell).await;
    let restored = restored.map_err(|error| match error {
        RestoreError::Waited { .. } => anyhow!(
            "{error}; see that a majority of the engine's servers ({servers}) run and reach one another, and begin again"
        ),
        error => error.into(),
    });
    let restored = restored.with_context(|| format!("the log of {lane}"))?;
    say::line(format_args!("{lane}: {}", told(&restored)));
    Ok(())
}

/// What was restored, in words.
fn told(restored: &Restored) -> String {
    let Restored { epoch, first, last } = restored;
    if first > last {
        return format!("goes on after entry {last}, in epoch {epoch}");
    }
    format!("entries {first} to {last}, in epoch {epoch}")
}

/// Which lane's log a file is, by its name.
fn lane_of(copy: &Path) -> Result<&'static str> {
    ensure!(copy.exists(), "{} is missing", copy.display());
    let name = copy.file_stem().and_then(|stem| stem.to_str());
    match LANES.into_iter().find(|lane| Some(*lane) == name) {
        Some(lane) => Ok(lane),
        None => bail!(
            "{} is called after no log; there are {}",
            copy.display(),
            LANES.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::{Epoch, Seq};

    #[test]
    fn a_log_without_entries_is_said_to_have_none() {
        let restored = |first, last| Restored {
            epoch: Epoch(1),
            first: Seq(first),
            last: Seq(last),
        };
        assert_eq!(
            told(&restored(14, 13)),
            "goes on after entry 13, in epoch 1"
        );
        assert_eq!(told(&restored(14, 14)), "entries 14 to 14, in epoch 1");
    }
}
