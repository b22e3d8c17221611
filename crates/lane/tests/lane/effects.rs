//! What a domain wants done outside is done by the holder of the lease, again until it is done.

use crate::tally::{Ask, Bell, Place, Site, Tally, ask};
use bongsu_base::RecordId;
use bongsu_lane::{EffectError, EffectHandler, EffectId, EntryBody, Options, Payload, System};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What happens to a bell.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Rings,
    FailsTimes(usize),
    PanicsOnce,
    Hangs,
}

/// Remembers which bells it was asked to ring.
#[derive(Clone)]
struct Tower {
    mood: Mood,
    heard: Arc<Mutex<Vec<(EffectId, String)>>>,
    news: Arc<Notify>,
}

impl Tower {
    fn new(mood: Mood) -> Self {
        Self {
            mood,
            heard: Arc::default(),
            news: Arc::default(),
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard
            .lock()
            .iter()
            .map(|(_, text)| text.clone())
            .collect()
    }

    fn watch(&self, site: &Site) -> JoinHandle<()> {
        tokio::spawn(site.lane.clone().run_effects(self.clone()))
    }
}

#[async_trait::async_trait]
impl EffectHandler<Tally> for Tower {
    async fn run(&self, id: EffectId, bell: Bell) -> Result<(), EffectError> {
        let before = {
            let mut heard = self.heard.lock();
            heard.push((id, bell.0));
            heard.len() - 1
        };
        self.news.notify_one();
        match self.mood {
            Mood::FailsTimes(n) if before < n => Err(EffectError("the rope slipped".into())),
            Mood::PanicsOnce if before == 0 => panic!("the bell fell"),
            Mood::Hangs => std::future::pending().await,
            Mood::Rings | Mood::FailsTimes(_) | Mood::PanicsOnce => Ok(()),
        }
    }
}

async fn ring(site: &Site, n: u64, text: &str) {
    site.submit(ask(n, Ask::Ring(text.into())))
        .await
        .expect("decided")
        .outcome
        .expect("accepted");
}

async fn pending(site: &Site) -> i64 {
    let count = |view: &bongsu_lane::ReadView<'_>| {
        view.db()
            .query_row("SELECT count(*) FROM lane_effect", (), |row| row.get(0))
    };
    site.lane.read(count).await.expect("read")
}

fn completions(place: &Place) -> usize {
    let bodies = place.log.history();
    let records = bodies
        .iter()
        .flat_map(|entry| EntryBody::decode(&entry.body).expect("decodes").records);
    records
        .filter(|record| matches!(record.payload, Payload::System(System::Complete { .. })))
        .count()
}

#[tokio::test(start_paused = true)]
async fn every_effect_is_run_once_by_the_holder_of_the_lease() {
    let place = Place::new();
    let (a, b) = (place.open("a").await, place.open("b").await);
    let towers = [Tower::new(Mood::Rings), Tower::new(Mood::Rings)];
    towers[0].watch(&a);
    towers[1].watch(&b);
    sleep(Duration::from_secs(1)).await;
    for n in 0..40 {
        ring(if n % 2 == 0 { &a } else { &b }, n, &n.to_string()).await;
    }
    b.submit(ask(99, Ask::RingAndRefuse))
        .await
        .expect("decided")
        .outcome
        .expect_err("refused");
    sleep(Duration::from_secs(30)).await;
    let counts = towers.each_ref().map(|tower| tower.heard().len());
    assert!(counts == [40, 0] || counts == [0, 40], "{counts:?}");
    let [mut one, other] = towers.map(|tower| tower.heard());
    one.extend(other);
    one.sort_by_key(|text| text.parse::<u64>().expect("a number"));
    assert_eq!(one, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!((pending(&a).await, pending(&b).await), (0, 0));
    assert_eq!(completions(&place), 40);
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_failed_is_tried_again_under_the_same_id() {
    for (mood, tries) in [(Mood::FailsTimes(3), 4), (Mood::PanicsOnce, 2)] {
        let place = Place::new();
        let site = place.open("a").await;
        let tower = Tower::new(mood);
        tower.watch(&site);
        ring(&site, 1, "noon").await;
        sleep(Duration::from_secs(60)).await;
        let heard = tower.heard.lock().clone();
        assert_eq!(heard.len(), tries, "{mood:?}");
        let names: Vec<RecordId> = heard
            .iter()
            .map(|(id, _)| id.record("tally", "ring"))
            .collect();
        assert!(names.iter().all(|name| *name == names[0]));
        assert_eq!(
            (pending(&site).await, completions(&place)),
            (0, 1),
            "{mood:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn effects_that_hang_or_fail_do_not_starve_the_others() {
    let place = Place::new();
    let site = place.open("a").await;
    let tower = Tower::new(Mood::Hangs);
    tower.watch(&site);
    for n in 0..40 {
        ring(&site, n, &n.to_string()).await;
    }
    sleep(Duration::from_secs(300)).await;
    let mut heard = tower.heard();
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), 40, "each had its turn");
    assert_eq!(pending(&site).await, 40);
}

#[tokio::test(start_paused = true)]
async fn another_process_takes_over_once_the_lease_ran_out() {
    let place = Place::new();
    let a = place.open("a").await;
    let first = Tower::new(Mood::Hangs);
    let watched = first.watch(&a);
    sleep(Duration::from_secs(1)).await;
    let b = place.open("b").await;
    let second = Tower::new(Mood::Rings);
    second.watch(&b);
    ring(&a, 1, "fire").await;
    first.news.notified().await;
    a.kill().await;
    watched.await.expect("the lane stopped");
    sleep(Duration::from_secs(4)).await;
    assert!(second.heard().is_empty(), "the lease has not run out");
    sleep(Duration::from_secs(12)).await;
    assert_eq!(second.heard(), ["fire"]);
    assert_eq!((pending(&b).await, completions(&place)), (0, 1));
    assert_eq!(
        first.heard.lock()[0].0,
        second.heard.lock()[0].0,
        "the same id in both processes"
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_that_closes_hands_the_lease_over() {
    let place = Place::new();
    let quick = |site: &str| Options {
        canary_every: Duration::from_secs(60),
        ..place.options(site)
    };
    let a = place.open_with(quick("a")).await.expect("opens");
    let first = Tower::new(Mood::Rings);
    first.watch(&a);
    ring(&a, 1, "one").await;
    first.news.notified().await;
    a.close().await;
    let b = place.open_with(quick("b")).await.expect("opens");
    let second = Tower::new(Mood::Rings);
    second.watch(&b);
    ring(&b, 2, "two").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        second.heard(),
        ["two"],
        "at once, not after the three minutes the lease had left"
    );
    assert_eq!(pending(&b).await, 0);
}
