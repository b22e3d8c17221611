//! A site's way to the log, which can be cut.

use crate::Dice;
use async_trait::async_trait;
use bongsu_base::Seq;
use bongsu_log::memory::MemoryLog;
use bongsu_log::{AppendError, Bounds, Entry, Log, ReadError};
use bytes::Bytes;
use parking_lot::Mutex;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Rung when the log may hold something new. Those who wait are woken in the order in which they came,
/// which is what makes a run repeat itself.
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Rings it whenever `log` grows, for ever.
    pub async fn ring(self, log: MemoryLog) {
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
pub struct Weather {
    /// The most by which the site is behind, in milliseconds.
    pub lag: u64,
    /// How many of 100 reads fail.
    pub read_errors: u32,
    /// How many of 100 reads give only a part.
    pub short_reads: u32,
}

impl Weather {
    /// Everything at once.
    pub const CALM: Self = Self {
        lag: 0,
        read_errors: 0,
        short_reads: 0,
    };
}

/// The log as one site reaches it.
#[derive(Clone)]
pub struct SiteLog {
    log: MemoryLog,
    bell: Bell,
    cut: Arc<AtomicBool>,
    state: Arc<Mutex<(Weather, Dice)>>,
}

impl SiteLog {
    pub fn new(log: MemoryLog, bell: Bell, weather: Weather, dice: Dice) -> Self {
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
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    pub fn set_weather(&self, weather: Weather) {
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
