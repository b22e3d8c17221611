//! Which records have an outcome, and where it stands.
//!
//! Record ids come in no order, and an index over them in the order of arrival touches another page for
//! nearly every record. So what is new is kept in memory and brought into the index in the order of the ids,
//! a stretch at a time: the next stretch begins where the last one ended, and after the highest id with the
//! lowest again. Neighbours in the index share pages. What was not brought there before a crash is found
//! again among the latest outcomes.

use bongsu_base::RecordId;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::BTreeMap;
use std::ops::Bound;

/// How much waits, and how much of it is brought into the index at once.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// How many changes wait in memory, about 80 bytes each.
    waiting: usize,
    /// How many more there have to be before a stretch of them is brought into the index.
    stretch: usize,
    /// How long one is at most.
    longest: usize,
}

const BOUNDS: Bounds = Bounds {
    waiting: 1 << 16,
    stretch: 64,
    longest: 4_096,
};

/// The index. It is derived from the outcomes, and no part of the digest: when what is brought into it
/// depends on how entries were batched here.
pub(crate) const SCHEMA: &str = "
CREATE TABLE lane_known (
    record   BLOB    PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE lane_known_upto (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
INSERT INTO lane_known_upto VALUES (1, 0);
";

/// Gives a view that was made by an earlier release, whose outcomes had an index of SQLite's own, the index.
pub(crate) fn introduce(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(SCHEMA)?;
    transaction.execute_batch(
        "INSERT INTO lane_known SELECT record, position FROM lane_outcome ORDER BY record;
         UPDATE lane_known_upto SET position = (SELECT coalesce(max(position), 0) FROM lane_outcome);
         ALTER TABLE lane_outcome RENAME TO lane_outcome_before;",
    )?;
    transaction.execute_batch(crate::view::OUTCOMES)?;
    transaction.execute_batch(
        "INSERT INTO lane_outcome SELECT position, record, time, body FROM lane_outcome_before ORDER BY position;
         DROP TABLE lane_outcome_before;",
    )
}

/// How many outcomes up to where the index is said to be complete are missing from it.
pub(crate) fn missing(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row(
        "SELECT count(*) FROM lane_outcome AS outcome
         WHERE position <= (SELECT position FROM lane_known_upto) AND NOT EXISTS (
           SELECT 1 FROM lane_known AS known
           WHERE known.record = outcome.record AND known.position = outcome.position)",
        (),
        |row| row.get(0),
    )
}

/// Where a record's outcome stands; `None` when it was forgotten.
type Place = Option<i64>;

/// The index with what is not in it yet.
#[derive(Debug)]
pub(crate) struct Known {
    bounds: Bounds,
    waiting: BTreeMap<RecordId, Place>,
    /// What was waiting for each record that the open transaction touched, in order.
    undo: Vec<(RecordId, Option<Place>)>,
    /// The last id of the last stretch; `None` at the beginning.
    swept: Option<RecordId>,
    /// The latest outcome: in the open transaction, before it, and when the sweep last began with the lowest
    /// id.
    newest: i64,
    last: i64,
    last_at_turn: i64,
}

impl Known {
    /// Finds again what was not in the index of `db` when the view was last closed.
    pub fn open(db: &Connection) -> rusqlite::Result<Self> {
        Self::within(db, BOUNDS)
    }

    fn within(db: &Connection, bounds: Bounds) -> rusqlite::Result<Self> {
        let upto: i64 =
            db.query_row("SELECT position FROM lane_known_upto", (), |row| row.get(0))?;
        let mut late = db.prepare(
            "SELECT record, position FROM lane_outcome WHERE position > ?1 ORDER BY position",
        )?;
        let late = late.query_map([upto], |row| {
            Ok((RecordId::from_bytes(row.get(0)?), Some(row.get(1)?)))
        })?;
        let waiting: BTreeMap<RecordId, Place> = late.collect::<Result<_, _>>()?;
        let last = waiting.values().copied().flatten().max().unwrap_or(upto);
        Ok(Self {
            bounds,
            waiting,
            undo: Vec::new(),
            swept: None,
            newest: last,
            last,
            last_at_turn: last,
        })
    }

    /// Where the outcome of `record` stands, unless it was forgotten or there is none.
    pub fn find(&self, db: &Connection, record: RecordId) -> rusqlite::Result<Place> {
        if let Some(place) = self.waiting.get(&record) {
            return Ok(*place);
        }
        db.prepare_cached("SELECT position FROM lane_known WHERE record = ?1")?
            .query_row([record.as_bytes()], |row| row.get(0))
            .optional()
    }

    /// The outcome of `record` stands at `position`.
    pub fn add(&mut self, record: RecordId, position: i64) {
        self.newest = self.newest.max(position);
        self.set(record, Some(position));
    }

    /// The outcome of `record` was forgotten.
    pub fn forget(&mut self, record: RecordId) {
        self.set(record, None);
    }

    fn set(&mut self, record: RecordId, place: Place) {
        let before = self.waiting.insert(record, place);
        self.undo.push((record, before));
    }

    /// Brings a stretch of what waits into the index, within the transaction that is about to end.
    pub fn sweep(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let over = self.waiting.len().saturating_sub(self.bounds.waiting);
        if over < self.bounds.stretch {
            return Ok(());
        }
        let from = self.swept.map_or(Bound::Unbounded, Bound::Excluded);
        let most = over.min(self.bounds.longest);
        let stretch = self.waiting.range((from, Bound::Unbounded)).take(most);
        let stretch: Vec<(RecordId, Place)> = stretch.map(|(id, place)| (*id, *place)).collect();
        {
            let mut add = db.prepare_cached(
                "INSERT INTO lane_known (record, position) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET position = excluded.position",
            )?;
            let mut remove = db.prepare_cached("DELETE FROM lane_known WHERE record = ?1")?;
            for (record, place) in &stretch {
                match place {
                    Some(position) => add.execute((record.as_bytes(), position))?,
                    None => remove.execute([record.as_bytes()])?,
                };
            }
        }
        for (record, place) in &stretch {
            self.waiting.remove(record);
            self.undo.push((*record, Some(*place)));
        }
        self.swept = stretch.last().map(|(record, _)| *record);
        if stretch.len() < most {
            self.turn(db)?;
        }
        Ok(())
    }

    /// The sweep begins with the lowest id again: whatever there was when it last did is in the index now.
    fn turn(&mut self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("UPDATE lane_known_upto SET position = ?1")?
            .execute([self.last_at_turn])?;
        self.swept = None;
        self.last_at_turn = self.last;
        Ok(())
    }

    /// The transaction is in the file.
    pub fn committed(&mut self) {
        self.undo.clear();
        self.last = self.newest;
    }

    /// The transaction was given up. The sweep begins anew, as when the view is opened.
    pub fn rolled_back(&mut self) {
        while let Some((record, before)) = self.undo.pop() {
            match before {
                Some(place) => self.waiting.insert(record, place),
                None => self.waiting.remove(&record),
            };
        }
        self.swept = None;
        self.newest = self.last;
        self.last_at_turn = self.last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Bounds = Bounds {
        waiting: 8,
        stretch: 2,
        longest: 24,
    };

    /// What happens to a view.
    #[derive(Debug, Clone)]
    enum Step {
        /// These records are applied, unless they have an outcome, and the oldest so many outcomes forgotten.
        Apply(Vec<u8>, usize),
        /// The same, but the transaction is given up.
        GiveUp(Vec<u8>, usize),
        /// The view is opened again.
        Open,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let records = || prop::collection::vec(any::<u8>(), 0..12);
        let step = prop_oneof![
            6 => (records(), 0..6_usize).prop_map(|(records, old)| Step::Apply(records, old)),
            2 => (records(), 0..6_usize).prop_map(|(records, old)| Step::GiveUp(records, old)),
            1 => Just(Step::Open),
        ];
        prop::collection::vec(step, 1..60)
    }

    fn id(n: u8) -> RecordId {
        RecordId::named(&["test"], &n.to_string())
    }

    /// The view, and what should be found in it.
    struct Bench {
        db: Connection,
        known: Known,
        model: BTreeMap<u8, i64>,
        next: i64,
    }

    impl Bench {
        fn new() -> Self {
            let db = Connection::open_in_memory().expect("opens");
            db.execute_batch(crate::view::OUTCOMES).expect("a schema");
            db.execute_batch(SCHEMA).expect("a schema");
            let known = Known::within(&db, SMALL).expect("opens");
            let (model, next) = (BTreeMap::new(), 1);
            Self {
                db,
                known,
                model,
                next,
            }
        }

        fn find(&self, n: u8) -> Option<i64> {
            let place = self.known.find(&self.db, id(n)).expect("readable");
            let there = "SELECT 1 FROM lane_outcome WHERE position = ?1";
            place.filter(|place| {
                let found = self.db.query_row(there, [place], |_| Ok(())).optional();
                found.expect("readable").is_some()
            })
        }

        fn apply(&mut self, records: &[u8], old: usize) {
            for n in records {
                if self.find(*n).is_none() {
                    let insert = "INSERT INTO lane_outcome VALUES (?1, ?2, 0, x'')";
                    let record = id(*n);
                    let values = (self.next, record.as_bytes());
                    self.db.execute(insert, values).expect("inserted");
                    self.known.add(id(*n), self.next);
                    self.model.insert(*n, self.next);
                    self.next += 1;
                }
            }
            for _ in 0..old {
                let oldest = self.model.iter().min_by_key(|(_, place)| **place);
                let Some((n, place)) = oldest.map(|(n, place)| (*n, *place)) else {
                    break;
                };
                let delete = "DELETE FROM lane_outcome WHERE position = ?1";
                self.db.execute(delete, [place]).expect("deleted");
                self.known.forget(id(n));
                self.model.remove(&n);
            }
            self.known.sweep(&self.db).expect("swept");
        }

        fn step(&mut self, step: &Step) {
            match step {
                Step::Open => self.known = Known::within(&self.db, SMALL).expect("opens"),
                Step::Apply(records, old) => {
                    self.db.execute_batch("BEGIN").expect("begun");
                    self.apply(records, *old);
                    self.db.execute_batch("COMMIT").expect("committed");
                    self.known.committed();
                }
                Step::GiveUp(records, old) => {
                    let (model, next) = (self.model.clone(), self.next);
                    self.db.execute_batch("BEGIN").expect("begun");
                    self.apply(records, *old);
                    self.db.execute_batch("ROLLBACK").expect("rolled back");
                    self.known.rolled_back();
                    (self.model, self.next) = (model, next);
                }
            }
        }
    }

    proptest! {
        /// Whatever happens, exactly those records are found that have an outcome, where it stands, and the
        /// index is as complete as it says.
        #[test]
        fn a_record_is_found_as_long_as_it_has_an_outcome(steps in steps()) {
            let mut bench = Bench::new();
            for step in &steps {
                bench.step(step);
                for n in 0..=u8::MAX {
                    prop_assert_eq!(bench.find(n), bench.model.get(&n).copied(), "{} after {:?}", n, step);
                }
                prop_assert_eq!(missing(&bench.db).expect("readable"), 0);
                prop_assert!(bench.known.waiting.len() < SMALL.waiting + 4 * 24);
            }
        }
    }

    #[test]
    fn a_view_of_an_earlier_release_is_given_the_index() {
        let mut db = Connection::open_in_memory().expect("opens");
        db.execute_batch(
            "CREATE TABLE lane_outcome (
                 position INTEGER PRIMARY KEY, record BLOB NOT NULL UNIQUE, time INTEGER NOT NULL, body BLOB NOT NULL);
             CREATE TABLE other (id INTEGER PRIMARY KEY);",
        )
        .expect("a schema");
        for n in 0..100_u8 {
            let insert = "INSERT INTO lane_outcome VALUES (?1, ?2, 5, x'07')";
            db.execute(insert, (i64::from(n) + 10, id(n).as_bytes()))
                .expect("inserted");
        }
        let transaction = db.transaction().expect("begun");
        introduce(&transaction).expect("introduced");
        transaction.commit().expect("committed");
        let known = Known::open(&db).expect("opens");
        assert!(known.waiting.is_empty());
        for n in 0..100_u8 {
            let found = known.find(&db, id(n)).expect("readable");
            assert_eq!(found, Some(i64::from(n) + 10));
        }
        assert_eq!(missing(&db).expect("readable"), 0);
        db.execute(
            "DELETE FROM lane_known WHERE record = ?1",
            [id(3).as_bytes()],
        )
        .expect("deleted");
        assert_eq!(missing(&db).expect("readable"), 1);
        let indices = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'";
        let count: i64 = db
            .query_row(indices, (), |row| row.get(0))
            .expect("readable");
        assert_eq!(count, 0, "SQLite's own index is gone");
    }
}
