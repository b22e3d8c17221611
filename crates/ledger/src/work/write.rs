//! Writing what a batch has done.

use super::Work;
use crate::block::Block;
use crate::row::{Body, Transfer};
use crate::{LedgerId, known};
use std::collections::BTreeMap;

/// From how many lines on it is worth a thread to hash them.
const LONG: usize = 512;

/// Lines of the history as they stand in their table, hashed.
struct Linked {
    bodies: Vec<(i64, Body)>,
    /// The last link of each ledger.
    ends: BTreeMap<LedgerId, [u8; 32]>,
}

impl Linked {
    /// Links `rows` to each other, and the first of each ledger to what its history ended with.
    fn of(rows: &[Transfer], mut ends: BTreeMap<LedgerId, [u8; 32]>) -> Self {
        let mut bodies = Vec::with_capacity(rows.len());
        for row in rows {
            let end = ends.entry(row.ledger).or_insert([0; 32]);
            let (body, link) = row.linked(end);
            *end = link;
            bodies.push((row.n, body));
        }
        Self { bodies, ends }
    }
}

impl Work<'_> {
    /// Writes everything.
    pub fn write(mut self) -> rusqlite::Result<()> {
        if self.rows.is_empty() && self.refusals.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let ends = self.books.changed().map(|(id, book)| (id, book.link));
        let ends: BTreeMap<LedgerId, [u8; 32]> = ends.collect();
        // Each line's hash needs the one before it. For a long batch another core sees to that while all else is written.
        let linked = if rows.len() < LONG {
            self.write_beside(rows.len())?;
            Linked::of(&rows, ends)
        } else {
            std::thread::scope(|scope| {
                let linked = scope.spawn(|| Linked::of(&rows, ends));
                let written = self.write_beside(rows.len());
                let linked = linked.join();
                let linked = linked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                written.map(|()| linked)
            })?
        };
        Transfer::insert(self.db, &linked.bodies)?;
        for (id, link) in linked.ends {
            self.books.change(id, |book| book.link = link);
        }
        for (_, book) in self.books.changed() {
            book.write(self.db)?;
        }
        Ok(())
    }

    /// Writes everything but the history, which has `lines` more, and how far the ledgers have come in it.
    fn write_beside(&self, lines: usize) -> rusqlite::Result<()> {
        let db = self.db;
        for (n, refusal) in (self.refused + 1..).zip(&self.refusals) {
            db.prepare_cached("INSERT INTO ledger_refused VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute((
                    n,
                    &refusal.id.0[..],
                    self.time.0,
                    refusal.rule as i64,
                    &refusal.fingerprint[..],
                ))?;
        }
        Block::write(db, self.blocks.changed())?;
        for (n, hold) in self.holds.changed() {
            match hold {
                Some(hold) => db
                    .prepare_cached("INSERT INTO ledger_hold VALUES (?1, ?2)")?
                    .execute((n, hold.expires.map(|at| at.0)))?,
                None => db
                    .prepare_cached("DELETE FROM ledger_hold WHERE n = ?1")?
                    .execute([n])?,
            };
        }
        for (n, amount) in self.reversed.changed() {
            db.prepare_cached(
                "INSERT INTO ledger_reversed VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET amount = excluded.amount",
            )?
            .execute((n, amount))?;
        }
        let last = self.last + lines as i64;
        let refused = self.refused + self.refusals.len() as i64;
        let ids = self.ids.changed().map(|(_, known)| *known).collect();
        known::add(db, ids, last, refused)?;
        db.prepare_cached("UPDATE ledger_state SET last = ?1, time = ?2, refused = ?3")?
            .execute((last, self.time.0, refused))
            .map(drop)
    }
}
