//! What was found at pages lately, in memory: each process finds out for itself.

use super::Found;
use bongsu_base::LogTime;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// How many pages are remembered. A preview has a few kilobytes.
const REMEMBERED: usize = 2_000;

/// What is known of one page. Who comes first finds out, and the others wait for it.
pub type Cell = Arc<OnceCell<Found>>;

/// Pages by when they were asked for first.
#[derive(Debug, Default)]
pub struct Known {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    cells: HashMap<String, (u64, Cell)>,
    order: BTreeMap<u64, String>,
    clock: u64,
}

impl Known {
    /// What is known of the page at `url`; nothing yet, if what was known is too old at `now`.
    pub fn page(&self, url: &str, now: LogTime) -> Cell {
        self.pages.lock().page(url, now, REMEMBERED)
    }
}

impl Pages {
    fn page(&mut self, url: &str, now: LogTime, most: usize) -> Cell {
        if let Some((place, cell)) = self.cells.get(url) {
            if cell.get().is_none_or(|found| found.until > now) {
                return cell.clone();
            }
            self.order.remove(place);
        }
        self.clock += 1;
        let cell = Cell::default();
        self.cells
            .insert(url.to_owned(), (self.clock, cell.clone()));
        self.order.insert(self.clock, url.to_owned());
        while self.order.len() > most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.cells.remove(&oldest);
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_the_expired_are_asked_again() {
        let mut pages = Pages::default();
        let found = |until| Found {
            what: None,
            until: LogTime(until),
        };
        let set = |cell: Cell, until| cell.set(found(until)).is_ok();
        assert!(set(pages.page("a", LogTime(0), 2), 10));
        assert!(set(pages.page("b", LogTime(1), 2), 20));
        assert!(pages.page("a", LogTime(9), 2).get().is_some());
        assert!(pages.page("a", LogTime(10), 2).get().is_none());
        // `a` was asked for last now, and is not known yet.
        let waiting = pages.page("a", LogTime(99), 2);
        assert!(Arc::ptr_eq(&waiting, &pages.page("a", LogTime(100), 2)));
        pages.page("c", LogTime(11), 2);
        assert!(pages.page("b", LogTime(11), 3).get().is_none());
        assert_eq!((pages.cells.len(), pages.order.len()), (3, 3));
    }
}
