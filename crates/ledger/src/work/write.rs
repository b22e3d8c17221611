//! Writing what a batch has done.

use super::Work;
use crate::known;

impl Work<'_> {
    /// Writes everything.
    pub fn write(self) -> rusqlite::Result<()> {
        let db = self.db;
        if self.rows.is_empty() && self.refusals.is_empty() {
            return Ok(());
        }
        for row in &self.rows {
            row.insert(db)?;
        }
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
        for (_, account) in self.accounts.changed() {
            account.update(db)?;
        }
        for (_, book) in self.books.changed() {
            book.write(db)?;
        }
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
        known::add(db, self.ids.changed().map(|(id, place)| (id, *place)))?;
        let last = self.last + self.rows.len() as i64;
        let refused = self.refused + self.refusals.len() as i64;
        db.prepare_cached("UPDATE ledger_state SET last = ?1, time = ?2, refused = ?3")?
            .execute((last, self.time.0, refused))
            .map(drop)
    }
}
