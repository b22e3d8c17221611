//! The other data centres' blobs.

use bongsu_base::DataCentre;
use object_store::ObjectStore;
use parking_lot::Mutex;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// For how long a data centre that failed is asked after all others.
const AVOIDED: Duration = Duration::from_secs(30);

/// Another data centre that keeps blobs.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its name.
    pub data_centre: DataCentre,
    /// How far it is, in whatever unit: the nearest is asked first.
    pub distance: u32,
    /// Its blobs, laid out as here. It checks what is written to it if it can; what is read from it is
    /// checked here.
    pub store: Arc<dyn ObjectStore>,
}

/// A neighbour, and how it did lately.
#[derive(Debug)]
pub(crate) struct Near {
    neighbour: Neighbour,
    failed: Mutex<Option<Instant>>,
}

impl Near {
    pub(crate) fn new(neighbour: Neighbour) -> Self {
        Self {
            neighbour,
            failed: Mutex::default(),
        }
    }

    /// Remembers whether it did what it was asked.
    pub(crate) fn did(&self, well: bool) {
        *self.failed.lock() = (!well).then(Instant::now);
    }

    fn is_avoided(&self) -> bool {
        self.failed
            .lock()
            .is_some_and(|failed| failed.elapsed() < AVOIDED)
    }
}

impl Deref for Near {
    type Target = Neighbour;

    fn deref(&self) -> &Neighbour {
        &self.neighbour
    }
}

/// Those that did well before those that failed lately, each nearest first.
pub(crate) fn in_order(all: &[Near]) -> impl Iterator<Item = usize> + use<> {
    let (failed, well): (Vec<_>, Vec<_>) =
        (0..all.len()).partition(|place| all[*place].is_avoided());
    well.into_iter().chain(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    #[tokio::test(start_paused = true)]
    async fn who_failed_is_asked_last_for_a_while() {
        let near = |name: &str, distance| {
            Near::new(Neighbour {
                data_centre: name.parse().expect("it is a name"),
                distance,
                store: Arc::new(InMemory::new()),
            })
        };
        let all = [near("near", 1), near("far", 9)];
        let order = || in_order(&all).collect::<Vec<_>>();
        assert_eq!(order(), [0, 1]);
        all[0].did(false);
        assert_eq!(order(), [1, 0]);
        tokio::time::advance(AVOIDED).await;
        assert_eq!(order(), [0, 1]);
        all[0].did(false);
        all[0].did(true);
        assert_eq!(order(), [0, 1]);
    }
}
