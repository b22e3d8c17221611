//! How far a view has come, sealed.
//!
//! The row that says so is not part of the digest, since it holds the digest. A bit that flips in it
//! could pass for another log, another domain or another state; so it carries a hash of itself, and of
//! the schema, by whose words every rule finds its tables.

use super::{Digest, Progress};
use bongsu_base::{LogTime, Seq};
use bongsu_log::{Chain, Link};
use rusqlite::{Connection, Error, ffi};

type Hash = [u8; 16];

/// Reads how far the view has come.
///
/// # Errors
/// When the storage fails, or the row is not as it was written.
pub(crate) fn progress(db: &Connection) -> rusqlite::Result<Progress> {
    let query = "SELECT applied, applied_time, link, digest, active_version, domain, schema, seal FROM lane_meta";
    let mut statement = db.prepare_cached(query)?;
    let (progress, expected, found) = statement.query_row((), |row| {
        let progress = Progress {
            chain: Chain {
                seq: Seq(row.get::<_, i64>(0)? as u64),
                link: Link::from_bytes(row.get(2)?),
            },
            time: LogTime(row.get(1)?),
            digest: Digest::from_bytes(row.get(3)?),
            active_version: row.get(4)?,
        };
        let (domain, schema): (String, Hash) = (row.get(5)?, row.get(6)?);
        Ok((
            progress,
            seal(&domain, &schema, &progress),
            row.get::<_, Hash>(7)?,
        ))
    })?;
    if found == expected {
        Ok(progress)
    } else {
        Err(damaged("the row that says how far it has come was altered"))
    }
}

/// Writes how far the view has come; in the transaction that brought it there.
pub(crate) fn set_progress(db: &Connection, progress: &Progress) -> rusqlite::Result<()> {
    let (domain, schema): (String, Hash) = db
        .prepare_cached("SELECT domain, schema FROM lane_meta")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    db.prepare_cached(
        "UPDATE lane_meta SET applied = ?1, applied_time = ?2, link = ?3, digest = ?4,
         active_version = ?5, seal = ?6",
    )?
    .execute((
        progress.chain.seq.0 as i64,
        progress.time.0,
        progress.chain.link.as_bytes(),
        progress.digest.to_bytes(),
        progress.active_version,
        seal(&domain, &schema, progress),
    ))?;
    Ok(())
}

/// Writes down which schema the view has; [`set_progress`] has to follow.
pub(super) fn set_schema(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE lane_meta SET schema = ?1", [schema(db)?])?;
    Ok(())
}

/// Sees that the view has the schema that was written down.
///
/// # Errors
/// When the storage fails, or it has another.
pub(super) fn check_schema(db: &Connection) -> rusqlite::Result<()> {
    let expected: Hash = db.query_row("SELECT schema FROM lane_meta", (), |row| row.get(0))?;
    if schema(db)? == expected {
        Ok(())
    } else {
        Err(damaged("its schema was altered"))
    }
}

fn damaged(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what.to_owned()))
}

/// The hash of the schema's version and of everything that it declares.
fn schema(db: &Connection) -> rusqlite::Result<Hash> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&version.to_le_bytes());
    let query =
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name";
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        for n in 0..4 {
            part(&mut hasher, row.get_ref(n)?.as_bytes()?);
        }
    }
    Ok(short(&hasher))
}

fn seal(domain: &str, schema: &Hash, progress: &Progress) -> Hash {
    let mut hasher = blake3::Hasher::new();
    part(&mut hasher, domain.as_bytes());
    part(&mut hasher, schema);
    part(&mut hasher, progress.chain.link.as_bytes());
    part(&mut hasher, &progress.digest.to_bytes());
    hasher.update(&progress.chain.seq.0.to_le_bytes());
    hasher.update(&progress.time.0.to_le_bytes());
    hasher.update(&progress.active_version.to_le_bytes());
    short(&hasher)
}

fn part(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn short(hasher: &blake3::Hasher) -> Hash {
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    hash
}
