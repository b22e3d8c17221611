//! The audit log of a domain: what operators did, chained by hashes.
//!
//! Each domain keeps one in its own view, in a table `audit` ([`SCHEMA`]), to which its rules append.
//! The crate promises that a line which was written is never changed by it, and that a line which
//! was changed, removed or put in afterwards is noticed by [`check`]. It never knows what an act means.

use bongsu_base::{LogTime, Position};
use rusqlite::{Connection, OptionalExtension, Row};

/// The table that a domain's migration makes.
pub const SCHEMA: &str = "CREATE TABLE audit (
    n        INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    act      TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    reason   TEXT,
    link     BLOB    NOT NULL
);
";

/// How the chain's hashes are told from all others.
const CONTEXT: &str = "bongsu 2026-11 link of an audit log";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act<'a> {
    /// Who did it: a user id, or `operator` for whoever runs the installation, with the account of the machine that they used.
    pub who: &'a str,
    /// What: a verb of the domain, as in `room.block`.
    pub act: &'a str,
    /// To whom or what.
    pub target: &'a str,
    /// Why, in the words of whoever did it.
    pub reason: Option<&'a str>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1, without gaps.
    pub n: i64,
    /// Where in the domain's log it was done.
    pub position: i64,
    /// When, by the log's time.
    pub time: LogTime,
    /// Who did it.
    pub who: String,
    /// What.
    pub act: String,
    /// To whom or what.
    pub target: String,
    /// Why.
    pub reason: Option<String>,
    /// The hash over this line and, through the one before it, over all before.
    pub link: [u8; 32],
}

impl Line {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            position: row.get(1)?,
            time: LogTime(row.get(2)?),
            who: row.get(3)?,
            act: row.get(4)?,
            target: row.get(5)?,
            reason: row.get(6)?,
            link: row.get(7)?,
        })
    }

    /// The link that this line has after one with the link `before`.
    fn link_after(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(before);
        for number in [self.n, self.position, self.time.0] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&[u8::from(self.reason.is_some())]);
        let reason = self.reason.as_deref().unwrap_or_default();
        for text in [&*self.who, &*self.act, &*self.target, reason] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

const COLUMNS: &str = "n, position, time, who, act, target, reason, link";

/// Appends what was done to the log in `db`.
///
/// # Errors
/// When the view cannot be written.
pub fn append(
    db: &Connection,
    (at, time): (Position, LogTime),
    act: &Act<'_>,
) -> rusqlite::Result<()> {
    let last: Option<(i64, [u8; 32])> = db
        .prepare_cached("SELECT n, link FROM audit ORDER BY n DESC LIMIT 1")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (n, before) = last.unwrap_or((0, [0; 32]));
    let mut line = Line {
        n: n + 1,
        position: at.as_i64(),
        time,
        who: act.who.to_owned(),
        act: act.act.to_owned(),
        target: act.target.to_owned(),
        reason: act.reason.map(str::to_owned),
        link: [0; 32],
    };
    line.link = line.link_after(&before);
    db.prepare_cached(&format!(
        "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?
    .execute((
        line.n,
        line.position,
        line.time.0,
        &line.who,
        &line.act,
        &line.target,
        &line.reason,
        &line.link,
    ))?;
    Ok(())
}

/// Up to `limit` lines before the one numbered `before`, newest first.
///
/// # Errors
/// When the view cannot be read.
pub fn page(db: &Connection, before: i64, limit: usize) -> rusqlite::Result<Vec<Line>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE n < ?1 ORDER BY n DESC LIMIT ?2"
    ))?
    .query_map((before, limit as i64), Line::from_row)?
    .collect()
}

/// Reads the whole log and says how many lines it has, or which is the first that does not follow from
/// those before it.
///
/// # Errors
/// When the view cannot be read.
pub fn check(db: &Connection) -> rusqlite::Result<Result<i64, i64>> {
    let mut statement = db.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY n"))?;
    let mut rows = statement.query(())?;
    let (mut lines, mut before) = (0, [0; 32]);
    while let Some(row) = rows.next()? {
        let line = Line::from_row(row)?;
        if line.n != lines + 1 || line.link != line.link_after(&before) {
            return Ok(Err(lines + 1));
        }
        (lines, before) = (line.n, line.link);
    }
    Ok(Ok(lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::Seq;

    fn log() -> Connection {
        let db = Connection::open_in_memory().expect("opens");
        db.execute_batch(SCHEMA).expect("a valid schema");
        for (n, reason) in [(1, None), (2, Some("spam")), (3, Some(""))] {
            let act = Act {
                who: "operator",
                act: "room.block",
                target: "!a:b",
                reason,
            };
            let at = (Position::new(Seq(n), 0), LogTime(n as i64));
            append(&db, at, &act).expect("writes");
        }
        db
    }

    #[test]
    fn lines_are_read_newest_first_a_page_at_a_time() {
        let db = log();
        let numbers = |before, limit| -> Vec<i64> {
            let page = page(&db, before, limit).expect("reads");
            page.iter().map(|line| line.n).collect()
        };
        assert_eq!(numbers(i64::MAX, 2), [3, 2]);
        assert_eq!(numbers(2, 2), [1]);
        assert_eq!(check(&db), Ok(Ok(3)));
    }

    #[test]
    fn whatever_is_changed_afterwards_is_noticed() {
        for (harm, first) in [
            ("UPDATE audit SET who = '@mina:b' WHERE n = 2", 2),
            ("UPDATE audit SET reason = NULL WHERE n = 3", 3),
            ("UPDATE audit SET time = 9 WHERE n = 1", 1),
            ("DELETE FROM audit WHERE n = 1", 1),
            ("DELETE FROM audit WHERE n = 2", 2),
            (
                "INSERT INTO audit SELECT 4, position, time, who, act, target, reason, link
                 FROM audit WHERE n = 3",
                4,
            ),
        ] {
            let db = log();
            db.execute_batch(harm).expect("harms");
            assert_eq!(check(&db), Ok(Err(first)), "{harm}");
        }
    }
}
