//! What the bank said of orders and the books refuse to take.

use crate::answer::Refused;
use crate::command::{BankSaid, Ordered};
use rusqlite::{Connection, OptionalExtension};

/// What was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The bank's name for what it did; `None` where it refused the order.
    pub reference: Option<String>,
    /// The name of the reason for which the books refuse it.
    pub why: String,
}

/// Keeps what the bank said of `order`, and why it is not in the books.
pub fn keep(
    db: &Connection,
    order: &Ordered,
    said: &BankSaid,
    why: Refused,
) -> rusqlite::Result<()> {
    let reference = match said {
        BankSaid::Done { reference } => Some(reference),
        BankSaid::Refused { .. } => None,
    };
    db.prepare_cached(
        "INSERT INTO set_aside VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
         SET reference = excluded.reference, why = excluded.why",
    )?
    .execute((order.to_string(), reference, why.name()))
    .map(drop)
}

/// What was set aside of `order`.
pub fn find(db: &Connection, order: &Ordered) -> rusqlite::Result<Option<SetAside>> {
    db.prepare_cached("SELECT reference, why FROM set_aside WHERE name = ?1")?
        .query_row([order.to_string()], |row| {
            Ok(SetAside {
                reference: row.get(0)?,
                why: row.get(1)?,
            })
        })
        .optional()
}

/// Forgets it: it is in the books.
pub fn forget(db: &Connection, order: &Ordered) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM set_aside WHERE name = ?1")?
        .execute([order.to_string()])
        .map(drop)
}
