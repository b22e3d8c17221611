//! Bills and their shares.

use super::{damaged, next_number};
use crate::bill::{Bill, BillState, Share, ShareState};
use crate::id::{BillId, PaymentId};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Row};

const COLUMNS: &str = "id, asker, note, currency, state, made, changed, expires, n";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Bill)> {
    let currency = row.get_ref(3)?.as_str()?.parse();
    let state = match row.get(4)? {
        1_i64 => BillState::Open,
        2 => BillState::Done,
        3 => BillState::Canceled,
        4 => BillState::Expired,
        _ => return Err(damaged("state")),
    };
    let bill = Bill {
        id: BillId(row.get(0)?),
        asker: row.get(1)?,
        note: row.get(2)?,
        currency: currency.map_err(|_| damaged("currency"))?,
        total: 0,
        state,
        made: LogTime(row.get(5)?),
        changed: LogTime(row.get(6)?),
        expires: row.get::<_, Option<i64>>(7)?.map(LogTime),
        shares: Vec::new(),
    };
    Ok((row.get(8)?, bill))
}

fn read_share(row: &Row<'_>) -> rusqlite::Result<Share> {
    let state = match row.get(2)? {
        1_i64 => ShareState::Open,
        2 => ShareState::Paid,
        3 => ShareState::Declined,
        4 => ShareState::Own,
        5 => ShareState::Review,
        _ => return Err(damaged("state")),
    };
    Ok(Share {
        person: row.get(0)?,
        amount: row.get(1)?,
        state,
        payment: row.get::<_, Option<[u8; 16]>>(3)?.map(PaymentId),
    })
}

/// The bill of number `n` with its shares.
fn whole(db: &Connection, (n, mut bill): (i64, Bill)) -> rusqlite::Result<(i64, Bill)> {
    bill.shares = db
        .prepare_cached(
            "SELECT person, amount, state, payment FROM share WHERE bill = ?1 ORDER BY nth",
        )?
        .query_map([n], read_share)?
        .collect::<rusqlite::Result<_>>()?;
    bill.total = bill.shares.iter().map(|share| share.amount).sum();
    Ok((n, bill))
}

/// The bill `id`, and its number.
pub fn find(db: &Connection, id: BillId) -> rusqlite::Result<Option<(i64, Bill)>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM bill WHERE id = ?1"))?
        .query_row([id.0], read)
        .optional()?
        .map(|found| whole(db, found))
        .transpose()
}

/// The bills of these numbers.
fn numbered(db: &Connection, numbers: &[i64]) -> rusqlite::Result<Vec<(i64, Bill)>> {
    let mut find = db.prepare_cached(&format!("SELECT {COLUMNS} FROM bill WHERE n = ?1"))?;
    let found = numbers
        .iter()
        .map(|n| whole(db, find.query_row([n], read)?));
    found.collect()
}

/// Up to `limit` bills by which `asker` asks, before number `before`, newest first, with their numbers.
pub fn by(
    db: &Connection,
    asker: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Bill)>> {
    let numbers: Vec<i64> = db
        .prepare_cached("SELECT n FROM bill WHERE asker = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3")?
        .query_map((asker, before, limit as i64), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    numbered(db, &numbers)
}

/// The same of those by which others ask `person`.
pub fn of(
    db: &Connection,
    person: &str,
    before: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Bill)>> {
    let numbers: Vec<i64> = db
        .prepare_cached(
            "SELECT bill FROM share WHERE person = ?1 AND bill < ?2 AND state <> ?4
             ORDER BY bill DESC LIMIT ?3",
        )?
        .query_map(
            (person, before, limit as i64, ShareState::Own as i64),
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<_>>()?;
    numbered(db, &numbers)
}

/// Writes a new bill and its shares.
pub fn insert(db: &Connection, bill: &Bill) -> rusqlite::Result<()> {
    let n = next_number(db, "bill")?;
    db.prepare_cached(&format!(
        "INSERT INTO bill ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    ))?
    .execute((
        bill.id.0,
        &bill.asker,
        &bill.note,
        bill.currency.code(),
        bill.state as i64,
        bill.made.0,
        bill.changed.0,
        bill.expires.map(|at| at.0),
        n,
    ))?;
    let mut add = db.prepare_cached("INSERT INTO share VALUES (?1, ?2, ?3, ?4, ?5, NULL)")?;
    for (nth, share) in (0_i64..).zip(&bill.shares) {
        add.execute((n, nth, &share.person, share.amount, share.state as i64))?;
    }
    Ok(())
}

/// Writes how far a bill is.
pub fn update(db: &Connection, bill: &Bill) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE bill SET state = ?2, changed = ?3, expires = ?4 WHERE id = ?1")?
        .execute((
            bill.id.0,
            bill.state as i64,
            bill.changed.0,
            bill.expires.map(|at| at.0),
        ))
        .map(drop)
}

/// Writes how far a share of the bill of number `n` is.
pub fn update_share(db: &Connection, n: i64, share: &Share) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE share SET state = ?3, payment = ?4 WHERE person = ?2 AND bill = ?1")?
        .execute((
            n,
            &share.person,
            share.state as i64,
            share.payment.map(|id| id.0),
        ))
        .map(drop)
}

/// The bill of which a share was paid with `payment`, and its number.
pub fn paid_with(db: &Connection, payment: PaymentId) -> rusqlite::Result<Option<(i64, Bill)>> {
    let n: Option<i64> = db
        .prepare_cached("SELECT bill FROM share WHERE payment = ?1")?
        .query_row([payment.0], |row| row.get(0))
        .optional()?;
    let found = n.map(|n| numbered(db, &[n])).transpose()?;
    Ok(found.and_then(|found| found.into_iter().next()))
}

/// Up to `most` bills whose time has run out at `time`, the earliest first.
pub fn due(db: &Connection, time: LogTime, most: u32) -> rusqlite::Result<Vec<Bill>> {
    let found: Vec<(i64, Bill)> = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM bill WHERE expires <= ?1 ORDER BY expires, n LIMIT ?2"
        ))?
        .query_map((time.0, most), read)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().map(|(_, bill)| bill).collect())
}
