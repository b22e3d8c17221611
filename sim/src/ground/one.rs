//! One log in memory, and each site's way to it, which can be cut.

use super::{Ground, Opened};
use crate::Dice;
use crate::world::SITES;
use async_trait::async_trait;
use bongsu_base::{Seed, Seq};
use bongsu_lane::snapshot::Snapshots;
use bongsu_log::memory::{Faults, MemoryLog};
use bongsu_log::{AppendError, Bounds, Entry, Log, ReadError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// One log, and the sites' ways to it.
pub struct OneLog {
    log: MemoryLog,
    faults: Faults,
    ways: Vec<SiteLog>,
    bell: Bell,
}

impl OneLog {
    /// An empty log.
    pub fn new(seed: Seed, rough: bool, dice: &mut Dice) -> Self {
        let faults = if rough { Faults::ROUGH } else { Faults::NONE };
        let weather = Weather {
            lag: dice.u64(0..400),
            read_errors: dice.u32(0..5),
            short_reads: dice.u32(0..50),
        };
        let weather = if rough { weather } else { Weather::CALM };
        let log = MemoryLog::new(seed, faults.clone());
        let bell = Bell::default();
        let way = |_| SiteLog::new(log.clone(), bell.clone(), weather.clone(), dice.fork());
        let ways = (0..SITES).map(way).collect();
        Self {
            log,
            faults,
            ways,
            bell,
        }
    }

    /// Tells the sites when there is something new, for ever.
    pub async fn ring(self: Arc<Self>) {
        self.bell.clone().ring(self.log.clone()).await;
    }
}

#[async_trait]
impl Ground for OneLog {
    async fn open(
        &self,
        n: usize,
        _applied: Seq,
        _snapshots: &Snapshots,
    ) -> Result<Option<Opened>, String> {
        let log = Arc::new(self.ways[n].clone());
        let reach = Seq(u64::MAX);
        Ok(Some(Opened {
            log,
            reach,
            alone: false,
        }))
    }

    async fn ended(&self, _n: usize) {}

    fn harm(&self, _n: usize, _dice: &mut Dice) {}

    fn cut(&self, n: usize, cut: bool) {
        self.ways[n].cut(cut);
    }

    async fn stop(&self, span: Duration) {
        self.log.stop();
        sleep(span).await;
        self.log.restart();
    }

    fn set_rough(&self, rough: bool) {
        self.log.set_faults(if rough {
            self.faults.clone()
        } else {
            Faults::NONE
        });
    }

    async fn tidy(&self) {}

    fn calm(&self) {
        self.log.restart();
        self.log.set_faults(Faults::NONE);
        for way in &self.ways {
            way.cut(false);
            way.set_weather(Weather::CALM);
        }
    }

    fn history(&self) -> Vec<Entry> {
        self.log.history()
    }
}

/// Rung when the log may hold something new. Those who wait are woken in the order in which they came,
/// which is what makes a run repeat itself.
#[derive(Clone, Default)]
struct Bell(Arc<Notify>);

impl Bell {
    /// Rings it whenever `log` grows, for ever.
    async fn ring(self, log: MemoryLog) {
        let mut seen = Seq::ZERO;
        loop {
            log.wait(seen).await;
            match log.bounds().await {
                Ok(bounds) if bounds.last > seen => seen = bounds.last,
                // It went down in between.
                _ => sleep(Duration::from_millis(10)).await,
            }
            self.0.notify_waiters();
        }
    }
}

/// How a site sees the log.
#[derive(Debug, Clone)]
struct Weather {
    /// The most by which the site is behind, in milliseconds.
    lag: u64,
    /// How many of 100 reads fail.
    read_errors: u32,
    /// How many of 100 reads give only a part.
    short_reads: u32,
}

impl Weather {
    /// Everything at once.
    const CALM: Self = Self {
        lag: 0,
        read_errors: 0,
        short_reads: 0,
    };
}

/// The log as one site reaches it.
#[derive(Clone)]
struct SiteLog {
    log: MemoryLog,
    bell: Bell,
    cut: Arc<AtomicBool>,
    state: Arc<Mutex<(Weather, Dice)>>,
}

impl SiteLog {
    fn new(log: MemoryLog, bell: Bell, weather: Weather, dice: Dice) -> Self {
        let cut = Arc::default();
        let state = Arc::new(Mutex::new((weather, dice)));
        Self {
            log,
            bell,
            cut,
            state,
        }
    }

    /// Cuts the site off, or ends that.
    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    fn set_weather(&self, weather: Weather) {
        self.state.lock().0 = weather;
    }

    fn reachable(&self) -> Result<(), ReadError> {
        if self.cut.load(Ordering::Relaxed) {
            return Err(ReadError::Unavailable("the site is cut off".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Log for SiteLog {
    async fn append(&self, body: Bytes) -> Result<Seq, AppendError> {
        if self.reachable().is_err() {
            sleep(Duration::from_millis(300)).await;
            return Err(AppendError::Unknown("the site is cut off".into()));
        }
        let seq = self.log.append(body).await;
        // The entry may stand in the log and the answer not arrive.
        self.reachable()
            .map_err(|error| AppendError::Unknown(error.to_string()))?;
        seq
    }

    async fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        self.reachable()?;
        let (fails, part) = {
            let (weather, dice) = &mut *self.state.lock();
            let fails = dice.u32(0..100) < weather.read_errors;
            let part = (dice.u32(0..100) < weather.short_reads).then(|| dice.usize(1..4));
            (fails, part)
        };
        if fails {
            return Err(ReadError::Unavailable("the answer was lost".into()));
        }
        let mut entries = self.log.read(after, max_bytes).await?;
        entries.truncate(part.unwrap_or(usize::MAX));
        Ok(entries)
    }

    async fn wait(&self, after: Seq) {
        loop {
            let mut rung = pin!(self.bell.0.notified());
            rung.as_mut().enable();
            if matches!(self.bounds().await, Ok(bounds) if bounds.last > after) {
                break;
            }
            rung.await;
        }
        let lag = {
            let (weather, dice) = &mut *self.state.lock();
            dice.u64(0..=weather.lag)
        };
        if lag > 0 {
            sleep(Duration::from_millis(lag)).await;
        }
    }

    async fn bounds(&self) -> Result<Bounds, ReadError> {
        self.reachable()?;
        self.log.bounds().await
    }

    async fn truncate(&self, keep_from: Seq) -> Result<(), ReadError> {
        self.reachable()?;
        self.log.truncate(keep_from).await
    }
}
