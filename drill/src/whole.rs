//! Whether everything is in every data centre again.

use crate::client::{Client, Outcome};
use crate::cluster::{Cluster, LOOK, SITES, name};
use crate::disk;
use crate::ground::Site;
use crate::record::Health;
use crate::strike::Striker;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// How long it may take without an operator.
const PATIENCE: Duration = Duration::from_secs(120);
/// An upload that is younger than this may still be on its way to a second data centre.
const YOUNG: Duration = Duration::from_secs(15);

/// How it became whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Whole {
    /// How long it took after the data centre was given back.
    pub took: Duration,
    /// How many bytes more its folder had then.
    pub bytes: u64,
    /// What is still lacking after all that is to be waited.
    pub lacks: Option<String>,
}

/// Waits until all data centres work, all copies of the log are current, and every upload is in two data centres.
/// Data centres that are ready have to do everything from then on.
pub async fn wait(striker: &Striker<'_>) -> Result<Whole> {
    let healed = striker.healed.unwrap_or_else(Instant::now);
    let away: Vec<usize> = (0..SITES)
        .filter(|site| !striker.recorder.is(*site, Health::Well))
        .collect();
    let sizes = || {
        let folders = away.iter().map(|site| striker.cluster.site_dir(*site));
        folders
            .flat_map(|folder| disk::sizes(&folder))
            .collect::<BTreeMap<_, _>>()
    };
    let before = sizes();
    let mut lacks: Option<String> = None;
    let mut streams = BTreeSet::new();
    loop {
        let now = lacking(striker, &mut streams).await;
        if now.is_some() && now != lacks {
            let what = now.as_deref().unwrap_or_default();
            striker.recorder.mark(format!("not whole yet: {what}"));
        }
        lacks = now;
        if lacks.is_none() || healed.elapsed() > PATIENCE {
            break;
        }
        sleep(LOOK * 4).await;
    }
    if lacks.is_none() {
        striker.recorder.mark("everything is whole again");
    }
    Ok(Whole {
        took: healed.elapsed(),
        bytes: disk::growth(&before, &sizes()),
        lacks,
    })
}

async fn lacking(striker: &Striker<'_>, streams: &mut BTreeSet<String>) -> Option<String> {
    let mut lacks = None;
    for site in 0..SITES {
        if is_ready(striker.cluster, site).await {
            striker.recorder.set(site, Health::Well);
        } else {
            lacks = Some(format!("{} is not ready", name(site)));
        }
    }
    if lacks.is_some() {
        return lacks;
    }
    if let Some(lacks) = striker.engine.lacks(streams).await {
        return Some(lacks);
    }
    for altered in &striker.altered {
        let found = std::fs::read(&altered.path).map(|bytes| blake3::hash(&bytes));
        if found.map_or(true, |found| found != altered.wanted) {
            return Some("an upload is still damaged".to_owned());
        }
    }
    alone(striker.cluster)
}

/// An upload that only one data centre has.
fn alone(cluster: &Cluster) -> Option<String> {
    let mut held: BTreeMap<OsString, (usize, bool)> = BTreeMap::new();
    for site in 0..SITES {
        for path in disk::files(&cluster.site_dir(site).join("data/media/blobs"), |_| true) {
            let Some(name) = path.file_name() else {
                continue;
            };
            let modified = std::fs::metadata(&path).and_then(|meta| meta.modified());
            let entry = held.entry(name.to_owned()).or_default();
            entry.0 += 1;
            entry.1 |= modified.is_ok_and(is_young);
        }
    }
    let few = |held: &(usize, bool)| held.0 < 2 && !held.1;
    let alone = held.values().any(few);
    alone.then(|| "an upload is in one data centre alone".to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "files carry the time of day, and nothing else says how old they are"
)]
fn is_young(modified: SystemTime) -> bool {
    modified.elapsed().map_or(true, |age| age < YOUNG)
}

/// Whether data centre `site` says that it is ready.
pub async fn is_ready(cluster: &Cluster, site: usize) -> bool {
    let sites: Arc<[Site]> = Arc::new([Site {
        name: name(site),
        address: cluster.address(site),
    }]);
    let ask = crate::client::Ask::get("/health/ready");
    let answer = Client::new(&sites, 0)
        .once(0, &ask, Duration::from_secs(1))
        .await;
    matches!(answer, Outcome::Done(_))
}

/// Returns once it is.
pub async fn ready(cluster: &Cluster, site: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_ready(cluster, site).await {
        if Instant::now() > deadline {
            bail!("{} does not become ready", name(site));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
