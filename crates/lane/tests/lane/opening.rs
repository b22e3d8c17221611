//! A lane opens with a view that it can trust, or makes one, or says what is wrong.

use crate::tally::{Place, Site, memory_log};
use async_trait::async_trait;
use bongsu_base::{Seed, Seq};
use bongsu_lane::snapshot::{SnapshotError, Snapshots};
use bongsu_lane::{LaneState, Offload, OpenError, Options, View, view};
use bongsu_log::memory::{Faults, MemoryLog};
use bongsu_log::{AppendError, Bounds, Entry, Log, ReadError};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

struct Shelf {
    place: Place,
    store: Arc<InMemory>,
}

impl Shelf {
    fn new() -> Self {
        Self {
            place: Place::new(),
            store: Arc::new(InMemory::new()),
        }
    }

    fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.store.clone(), "tally")
    }

    fn options(&self, site: &str) -> Options {
        Options {
            snapshots: Some(self.snapshots()),
            ..self.place.options(site)
        }
    }

    async fn open(&self, site: &str) -> Site {
        self.place
            .open_with(self.options(site))
            .await
            .expect("opens")
    }

    async fn fails(&self, site: &str) -> OpenError {
        match self.place.open_with(self.options(site)).await {
            Err(error) => error,
            Ok(site) => panic!("it opened: {:?}", site.how),
        }
    }

    async fn names(&self) -> Vec<String> {
        let found: Vec<_> = self.store.list(None).try_collect().await.expect("lists");
        found
            .into_iter()
            .map(|object| object.location.to_string())
            .collect()
    }
}

/// What may happen to a view's file.
type Harm = fn(&Path);

/// Writes over the file at `path` from `offset` on.
fn spoil(path: &Path, offset: u64, bytes: &[u8]) {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .expect("the view is there");
    file.seek(SeekFrom::Start(offset)).expect("seeks");
    file.write_all(bytes).expect("writes");
}

/// Changes one row behind the lane's back; the file stays a sound database.
fn forge(path: &Path) {
    alter(
        path,
        "UPDATE tally SET amount = amount + 1000 WHERE name = 'tea'",
    );
}

fn alter(path: &Path, sql: &str) {
    let db = rusqlite::Connection::open(path).expect("opens");
    db.execute_batch(sql).expect("writes");
}

#[tokio::test(start_paused = true)]
async fn a_sound_view_is_kept_and_a_missing_one_made() {
    let place = Place::new();
    let site = place.open("a").await;
    assert_eq!(site.how, View::Fresh);
    site.add(1, "tea", 5).await;
    site.close().await;
    let site = place.open("a").await;
    assert_eq!(site.how, View::Kept);
    assert_eq!(site.amount("tea").await, 5);
    assert_eq!(site.add(2, "tea", 1).await, 6);
    site.kill().await;
    let site = place.open("a").await;
    assert_eq!(
        site.how,
        View::Kept,
        "a crash leaves a view that can be trusted"
    );
    site.add(3, "tea", 1).await;
    assert_eq!(site.amount("tea").await, 7);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_view_is_made_again_from_the_whole_log() {
    let harms: [(&str, Harm); 8] = [
        ("structure", |path| spoil(path, 8192, &[0xff; 100])),
        ("not a database", |path| spoil(path, 0, &[0; 100])),
        ("digest", forge),
        ("how far it has come was altered", |path| {
            alter(path, "UPDATE lane_meta SET applied = 99")
        }),
        ("how far it has come was altered", |path| {
            alter(path, "UPDATE lane_meta SET domain = 'tallx'")
        }),
        ("schema was altered", |path| {
            alter(path, "ALTER TABLE tally RENAME COLUMN amount TO amounu")
        }),
        ("schema was altered", |path| {
            alter(path, "PRAGMA user_version = 7")
        }),
        ("structure", |path| {
            std::fs::write(path, b"").expect("writes")
        }),
    ];
    for (n, (what, harm)) in harms.into_iter().enumerate() {
        let place = Place::new();
        let site = place.open("a").await;
        site.add(1, "tea", 5).await;
        let progress = site.lane.progress();
        site.close().await;
        harm(&place.view("a"));
        let site = place.open("a").await;
        match &site.how {
            View::Rebuilt(reason) => assert!(reason.contains(what), "{n}: {reason}"),
            other => panic!("{n}: {other:?}"),
        }
        assert!(
            place.view("a").with_extension("damaged").exists(),
            "kept for whoever wants to look"
        );
        site.lane
            .reach(progress.chain.seq, Duration::from_secs(1))
            .await
            .expect("it comes");
        assert_eq!(site.amount("tea").await, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_view_is_made_from_the_newest_sound_snapshot() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    site.add(1, "tea", 1).await;
    let first = site
        .lane
        .snapshot()
        .await
        .expect("taken")
        .expect("there is a store");
    site.add(2, "tea", 1).await;
    let second = site
        .lane
        .snapshot()
        .await
        .expect("taken")
        .expect("there is a store");
    site.add(3, "tea", 1).await;
    let end = site.lane.progress().chain.seq;
    site.close().await;
    assert!(second.seq > first.seq);
    assert_eq!(
        shelf.place.log.bounds().await.expect("up").first,
        first.seq.next(),
        "truncated behind the oldest"
    );

    let restored = shelf.open("b").await;
    assert_eq!(restored.how, View::Restored(second.seq, None));
    restored
        .lane
        .reach(end, Duration::from_secs(1))
        .await
        .expect("it comes");
    assert_eq!(restored.amount("tea").await, 3);
    restored.close().await;

    forge(&shelf.place.view("a"));
    let restored = shelf.open("a").await;
    match &restored.how {
        View::Restored(seq, Some(why)) => {
            assert!(*seq == second.seq && why.contains("digest"), "{why}")
        }
        other => panic!("{other:?}"),
    }
    restored.kill().await;

    // The newest one is not what its manifest says: the one before it serves.
    let names = shelf.names().await;
    let file = names
        .iter()
        .filter(|name| name.ends_with(".sqlite"))
        .max()
        .expect("two files");
    shelf
        .store
        .put(&file.as_str().into(), "nothing of use".into())
        .await
        .expect("put");
    let restored = shelf.open("c").await;
    assert_eq!(restored.how, View::Restored(first.seq, None));
    restored
        .lane
        .reach(end, Duration::from_secs(1))
        .await
        .expect("it comes");
    assert_eq!(restored.amount("tea").await, 3);
}

#[tokio::test(start_paused = true)]
async fn old_snapshots_are_forgotten_whole() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    for n in 1..=4 {
        site.add(n, "tea", 1).await;
        site.lane.snapshot().await.expect("taken");
    }
    let kept = shelf.snapshots().list().await.expect("lists");
    assert_eq!(kept.len(), 2);
    assert_eq!(shelf.names().await.len(), 4, "two files, two manifests");
    let bounds = shelf.place.log.bounds().await.expect("up");
    assert_eq!(bounds.first, kept[1].seq.next());
}

/// Two snapshots of the view of `site`, after which the process ended before anything was truncated.
async fn two_snapshots(shelf: &Shelf, site: &Site, name: &str) -> [Seq; 2] {
    let mut taken = [Seq::ZERO; 2];
    for (n, seq) in (10..).zip(&mut taken) {
        site.add(n, "tea", 1).await;
        let view = shelf.place.view(name);
        let manifest = shelf.snapshots().take(&view, Offload::Inline).await;
        *seq = manifest.expect("taken").seq;
    }
    assert_eq!(shelf.place.log.bounds().await.expect("up").first, Seq(1));
    taken
}

#[tokio::test(start_paused = true)]
async fn what_was_to_be_truncated_is_truncated_at_the_next_start() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    let [oldest, _] = two_snapshots(&shelf, &site, "a").await;
    site.kill().await;
    let site = shelf.open("a").await;
    site.add(1, "tea", 1).await;
    let bounds = shelf.place.log.bounds().await.expect("up");
    assert_eq!(bounds.first, oldest.next());
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_behind_the_snapshots_keeps_the_log_that_it_needs() {
    let shelf = Shelf::new();
    let behind = shelf.open("b").await;
    behind.add(1, "tea", 1).await;
    behind.close().await;
    let site = shelf.place.open("a").await;
    let [oldest, newest] = two_snapshots(&shelf, &site, "a").await;
    site.close().await;
    shelf.place.log.set_faults(Faults {
        read_delay: 5_000..=5_000,
        ..Faults::NONE
    });
    let slow = Arc::new(shelf.place.log.reader("b"));
    let behind = Site::open(slow, shelf.options("b")).await.expect("opens");
    assert_eq!(behind.how, View::Kept);
    assert!(behind.lane.progress().chain.seq < oldest);
    let reached = behind.lane.reach(newest, Duration::from_secs(60)).await;
    reached.expect("the log still has it");
    assert_eq!(behind.amount("tea").await, 3);
    let bounds = shelf.place.log.bounds().await.expect("up");
    assert_eq!(bounds.first, Seq(1));
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_taken_by_themselves_and_while_others_write() {
    let shelf = Shelf::new();
    let options = Options {
        snapshot_every: 5,
        ..shelf.options("a")
    };
    let site = shelf.place.open_with(options).await.expect("opens");
    let lane = &site.lane;
    for n in 0..20 {
        let (at_once, other, added) =
            tokio::join!(lane.snapshot(), lane.snapshot(), site.add(n, "tea", 1));
        assert_eq!(added, n as i64 + 1);
        assert!(at_once.is_ok() && other.is_ok(), "{at_once:?} {other:?}");
    }
    let before = shelf.snapshots().list().await.expect("lists")[0].seq;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after = shelf.snapshots().list().await.expect("lists")[0].seq;
    assert!(after > before, "the canaries alone are enough to need one");
}

#[tokio::test(start_paused = true)]
async fn who_began_with_anothers_snapshot_soon_has_one_for_others() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    for n in 1..4 {
        site.add(n, "tea", 1).await;
        site.lane.snapshot().await.expect("taken");
    }
    let own = Snapshots::new(Arc::new(InMemory::new()), "tally");
    let options = Options {
        snapshots: Some(own.clone()),
        peers: vec![shelf.snapshots()],
        ..shelf.options("b")
    };
    let other = shelf.place.open_with(options).await.expect("opens");
    assert!(matches!(other.how, View::Restored(..)), "{:?}", other.how);
    assert_eq!(own.list().await.expect("lists").len(), 0);
    tokio::time::sleep(Duration::from_secs(11)).await;
    let kept = own.list().await.expect("lists");
    assert_eq!(kept.len(), 1);
    // One is enough, however long it is until the next is due.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(own.list().await.expect("lists"), kept);
    other.close().await;
    site.close().await;
    // The one with the first snapshot has burnt.
    let third = Options {
        snapshots: None,
        peers: vec![own],
        ..shelf.options("c")
    };
    let third = shelf.place.open_with(third).await.expect("opens");
    assert_eq!(third.how, View::Restored(kept[0].seq, None));
    assert_eq!(third.amount("tea").await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_too_far_behind_is_made_anew() {
    let shelf = Shelf::new();
    let (a, b) = (shelf.open("a").await, shelf.open("b").await);
    a.add(1, "tea", 1).await;
    b.close().await;
    for n in 2..5 {
        a.add(n, "tea", 1).await;
        a.lane.snapshot().await.expect("taken");
    }
    let b = shelf.open("b").await;
    match &b.how {
        View::Restored(_, Some(why)) => assert!(why.contains("only to entry"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(b.add(9, "tea", 1).await, 5);

    // Nobody has a snapshot: the lane says so instead of beginning in the middle.
    let alone = Options {
        snapshots: None,
        ..shelf.options("d")
    };
    match shelf.place.open_with(alone).await.err() {
        Some(OpenError::NoSnapshot { first, .. }) => assert!(first > Seq(1)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_was_overtaken_by_truncation_stops() {
    let place = Place::new();
    let slow = Faults {
        read_delay: 5_000..=5_000,
        ..Faults::NONE
    };
    let a = place.open("a").await;
    place.log.set_faults(slow);
    let b = Site::open(Arc::new(place.log.reader("b")), place.options("b"))
        .await
        .expect("opens");
    for n in 0..50 {
        a.add(n, "tea", 1).await;
    }
    place.log.truncate(Seq(40)).await.expect("truncates");
    tokio::time::sleep(Duration::from_secs(10)).await;
    match b.lane.health().state {
        LaneState::Stopped(reason) => assert!(reason.contains("truncated"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_lost_what_was_applied_is_named() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    site.add(1, "tea", 1).await;
    site.lane.snapshot().await.expect("taken");
    site.close().await;
    let mut shelf = shelf;
    shelf.place.log = memory_log(Faults::NONE);
    let lost = shelf.fails("a").await;
    assert!(
        matches!(
            lost,
            OpenError::LogLost {
                last: Seq::ZERO,
                ..
            }
        ),
        "{lost}"
    );
    let lost = shelf.fails("b").await;
    assert!(
        matches!(lost, OpenError::LogLost { .. }),
        "a snapshot proves it too: {lost}"
    );
    assert!(shelf.place.view("a").exists(), "nothing was thrown away");
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_ahead_of_a_copy_waits_for_it() {
    let place = Place::new();
    let site = place.open("a").await;
    let entries = |site: &Site| site.lane.progress().chain.seq;
    site.add(1, "tea", 1).await;
    let log = place.log.reader("a");
    let copied = log.read(Seq::ZERO, usize::MAX).await.expect("read");
    site.add(2, "tea", 1).await;
    site.close().await;
    let far = view::applied(&place.view("a")).expect("a view");
    assert!(far > copied.last().expect("entries").seq);

    let copy = Arc::new(Copy(watch::Sender::new(copied)));
    let options = || Options {
        log_may_lag: true,
        canary_every: Duration::from_secs(1_000_000),
        ..place.options("a")
    };
    let site = Site::open(copy.clone(), options()).await.expect("opens");
    assert_eq!(site.amount("tea").await, 2, "it has what it had");
    assert_eq!(entries(&site), far);
    let more = place.open("b").await;
    more.add(3, "tea", 1).await;
    let copied = log.read(Seq::ZERO, usize::MAX).await.expect("read");
    copy.0.send_replace(copied);
    let wanted = entries(&more);
    let reached = site.lane.reach(wanted, Duration::from_secs(5)).await;
    reached.expect("it goes on from there");
    assert_eq!(site.amount("tea").await, 3);
}

/// A copy of a log, to which nothing is appended here.
struct Copy(watch::Sender<Vec<Entry>>);

#[async_trait]
impl Log for Copy {
    async fn append(&self, _: Bytes) -> Result<Seq, AppendError> {
        std::future::pending().await
    }

    async fn read(&self, after: Seq, _: usize) -> Result<Vec<Entry>, ReadError> {
        let entries = self.0.borrow();
        let after = entries.iter().filter(|entry| entry.seq > after);
        Ok(after.cloned().collect())
    }

    async fn wait(&self, after: Seq) {
        let newer = |entries: &Vec<Entry>| entries.last().is_some_and(|last| last.seq > after);
        let _ = self.0.subscribe().wait_for(newer).await;
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        let entries = self.0.borrow();
        let last = entries.last().expect("entries");
        Ok(Bounds {
            first: Seq(1),
            last: last.seq,
            link: last.link,
            bytes: 0,
        })
    }

    async fn truncate(&self, _: Seq) -> Result<(), ReadError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn another_log_is_named() {
    let mut place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    site.close().await;
    place.log = MemoryLog::new(Seed::from_bytes([8; 32]), Faults::NONE);
    let other = place.open("b").await;
    for n in 0..10 {
        other.add(n, "coffee", 1).await;
    }
    let error = place.open_with(place.options("a")).await.err();
    assert!(
        matches!(error, Some(OpenError::OtherLog { .. })),
        "{error:?}"
    );
    assert!(place.view("a").exists(), "nothing was thrown away");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_a_newer_schema_is_refused() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    site.add(1, "tea", 1).await;
    let manifest = site
        .lane
        .snapshot()
        .await
        .expect("taken")
        .expect("there is a store");
    let target = shelf.place.view("z");
    let refused = shelf
        .snapshots()
        .restore(
            &manifest,
            &target,
            manifest.schema_version - 1,
            Offload::Inline,
        )
        .await;
    assert!(
        matches!(refused, Err(SnapshotError::Refused { .. })),
        "{refused:?}"
    );
    assert!(!target.exists());
}

#[tokio::test(start_paused = true)]
async fn a_damaged_view_is_never_stored() {
    let shelf = Shelf::new();
    let site = shelf.open("a").await;
    site.add(1, "tea", 1).await;
    site.close().await;
    forge(&shelf.place.view("a"));
    let taken = shelf
        .snapshots()
        .take(&shelf.place.view("a"), Offload::Inline)
        .await;
    assert!(matches!(taken, Err(SnapshotError::Damaged(_))), "{taken:?}");
    assert!(shelf.names().await.is_empty());
}

/// The check of a big view can be skipped; how far it has come still counts.
#[tokio::test(start_paused = true)]
async fn an_unchecked_view_still_says_how_far_it_has_come() {
    let place = Place::new();
    let site = place.open("a").await;
    site.add(1, "tea", 1).await;
    site.close().await;
    let options = Options {
        check_on_open: false,
        ..place.options("a")
    };
    let site = place.open_with(options.clone()).await.expect("opens");
    assert_eq!(site.how, View::Kept);
    assert_eq!(site.add(2, "tea", 1).await, 2);
    site.close().await;
    spoil(&place.view("a"), 0, &[0; 100]);
    let site = place.open_with(options).await.expect("opens");
    assert!(matches!(site.how, View::Rebuilt(_)), "{:?}", site.how);
}
