//! The machine's own pace. Where machines are shared, a processor runs several times slower now and then, for some tens of
//! milliseconds, whatever runs on it: nobody who measures latencies at 99% can see what is ours behind that.

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;
use tokio::time::Instant;

/// How often the same piece of work is done.
const EVERY: Duration = Duration::from_millis(2);
/// How long it is, in steps of a few nanoseconds.
const STEPS: u64 = 20_000;
/// How many times the usual processor time it takes where the machine is slow.
const SLOW: u32 = 4;
/// For how long what had to wait is felt.
const AFTER: Duration = Duration::from_millis(300);

/// A thread that does the same piece of work again and again.
pub struct Pace {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Piece>>>,
}

struct Piece {
    at: Instant,
    /// The processor time it took: waiting for a processor does not count.
    took: Duration,
}

/// When the machine was slow.
pub struct Slow {
    at: Vec<Instant>,
    pieces: usize,
}

impl Pace {
    /// Begins to watch.
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own does a piece of work now and then; it waits for nothing"
    )]
    pub fn watch() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let thread = spawn(move || {
            let mut pieces = Vec::new();
            while !end.load(Ordering::Relaxed) {
                sleep(EVERY);
                let begun = processor_time()?;
                for step in 0..STEPS {
                    black_box(step);
                }
                let took = processor_time()?.saturating_sub(begun);
                let at = Instant::now();
                pieces.push(Piece { at, took });
            }
            Ok(pieces)
        });
        Self { ended, thread }
    }

    /// Ends, and says what was seen.
    pub fn end(self) -> Result<Slow> {
        self.ended.store(true, Ordering::Relaxed);
        let pieces = self.thread.join().ok().context("the watch panicked")??;
        let mut usual: Vec<_> = pieces.iter().map(|piece| piece.took).collect();
        usual.sort_unstable();
        let usual = usual.get(usual.len() / 2).copied().unwrap_or_default();
        let slow = pieces.iter().filter(|piece| piece.took > usual * SLOW);
        Ok(Slow {
            at: slow.map(|piece| piece.at).collect(),
            pieces: pieces.len(),
        })
    }
}

impl Slow {
    /// Whether it was while something was on its way, or shortly before.
    pub fn meets(&self, from: Instant, until: Instant) -> bool {
        let next = self.at.partition_point(|at| *at + AFTER < from);
        self.at.get(next).is_some_and(|at| *at <= until)
    }

    /// The part of the pieces of work that took so long.
    pub fn part(&self) -> f64 {
        self.at.len() as f64 / self.pieces.max(1) as f64
    }
}

fn processor_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
