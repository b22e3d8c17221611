//! Clients' sessions, and those that ended while tokens of theirs could be good.

use super::{client_id, next, optional_id};
use crate::command::oauth::{ClientId, SessionNo};
use crate::state::id;
use bongsu_base::{DeviceId, LogTime, Millis, UserId};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};

/// A session's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub n: SessionNo,
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// The client.
    pub client: ClientId,
    /// For what.
    pub scope: String,
    /// The device of the browser in which it was begun.
    pub browser: Option<DeviceId>,
    /// The key to which its tokens are bound.
    pub jkt: Option<[u8; 32]>,
    /// When the person showed who they are.
    pub auth_time: LogTime,
    /// The claims that were asked for beyond the scope, as JSON.
    pub claims: Option<String>,
    /// The refresh token's generation; 0 where there is none.
    pub generation: u32,
    /// When the current tokens were made.
    pub refreshed: LogTime,
    /// How long an access token lasts.
    pub lasts: Millis,
}

const COLUMNS: &str = "n, user, device, client, scope, browser, jkt, auth_time, claims, generation, \
                       refreshed, lasts";
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

fn from_row(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        n: SessionNo(row.get(0)?),
        user: id(row, 1)?,
        device: id(row, 2)?,
        client: client_id(row, 3)?,
        scope: row.get(4)?,
        browser: optional_id(row, 5)?,
        jkt: row.get(6)?,
        auth_time: LogTime(row.get(7)?),
        claims: row.get(8)?,
        generation: row.get(9)?,
        refreshed: LogTime(row.get(10)?),
        lasts: Millis(row.get(11)?),
    })
}

fn one(db: &Connection, wanted: &str, params: impl Params) -> Result<Option<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_session WHERE {wanted}"
    ))?
    .query_row(params, from_row)
    .optional()
}

fn many(db: &Connection, wanted: &str, params: impl Params) -> Result<Vec<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_session WHERE {wanted}"
    ))?
    .query_map(params, from_row)?
    .collect()
}

/// Reads a session.
pub fn get(db: &Connection, n: SessionNo) -> Result<Option<Session>> {
    one(db, "n = ?1", [n.0])
}

/// The session on a device.
pub fn on_device(db: &Connection, user: &UserId, device: &DeviceId) -> Result<Option<Session>> {
    let key = (user.as_str(), device.as_str());
    one(db, "user = ?1 AND device = ?2", key)
}

/// The sessions that were begun in a browser, in their order.
pub fn of_browser(db: &Connection, user: &UserId, browser: &DeviceId) -> Result<Vec<Session>> {
    let key = (user.as_str(), browser.as_str());
    many(db, "user = ?1 AND browser = ?2 ORDER BY n", key)
}

/// A person's sessions with a client, in their order.
pub fn of_client(db: &Connection, user: &UserId, client: &ClientId) -> Result<Vec<Session>> {
    let key = (user.as_str(), client.as_str());
    many(db, "user = ?1 AND client = ?2 ORDER BY n", key)
}

/// A client's sessions, in their order.
pub fn all_of_client(db: &Connection, client: &ClientId) -> Result<Vec<Session>> {
    many(db, "client = ?1 ORDER BY n", [client.as_str()])
}

/// Up to `most` sessions that have ended by themselves.
pub fn ended(db: &Connection, now: LogTime, most: u32) -> Result<Vec<Session>> {
    let key = (now.0.div_euclid(DAY), most);
    many(db, "day < ?1 ORDER BY day, n LIMIT ?2", key)
}

/// The number of the next session.
pub fn next_number(db: &Connection) -> Result<SessionNo> {
    next(db, "session").map(SessionNo)
}

/// The number of the last session that was given.
pub fn last_number(db: &Connection) -> Result<i64> {
    super::value(db, "session")
}

/// The sessions from `from` to before `to` that ended while tokens of theirs may be good at `now`.
pub fn revoked(db: &Connection, from: i64, to: i64, now: LogTime) -> Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT n FROM oauth_revoked WHERE n >= ?1 AND n < ?2 AND until > ?3 ORDER BY n",
    )?
    .query_map((from, to, now.0), |row| row.get(0))?
    .collect()
}

/// Writes a new session, which may be forgotten some time after `end`.
pub fn insert(db: &Connection, session: &Session, end: LogTime) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_session (n, user, device, client, scope, browser, jkt, auth_time, claims,
           generation, refreshed, lasts, day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute((
        session.n.0,
        session.user.as_str(),
        session.device.as_str(),
        session.client.as_str(),
        &session.scope,
        session.browser.as_ref().map(DeviceId::as_str),
        session.jkt,
        session.auth_time.0,
        &session.claims,
        session.generation,
        session.refreshed.0,
        session.lasts.0,
        end.0.div_euclid(DAY),
    ))?;
    Ok(())
}

/// Writes that a session's tokens were replaced. Only the last of these columns has an index, and it changes
/// once a day.
pub fn refresh(
    db: &Connection,
    n: SessionNo,
    generation: u32,
    (now, lasts, end): (LogTime, Millis, LogTime),
) -> Result<()> {
    db.prepare_cached(
        "UPDATE oauth_session SET generation = ?2, refreshed = ?3, lasts = ?4, day = ?5 WHERE n = ?1",
    )?
    .execute((n.0, generation, now.0, lasts.0, end.0.div_euclid(DAY)))?;
    Ok(())
}

/// Writes to which key a session's tokens are bound from now on.
pub fn bind(db: &Connection, n: SessionNo, jkt: Option<&[u8; 32]>) -> Result<()> {
    db.prepare_cached("UPDATE oauth_session SET jkt = ?2 WHERE n = ?1")?
        .execute((n.0, jkt))?;
    Ok(())
}

/// Removes a session; its tokens are revoked until the last of them has expired.
pub fn revoke(db: &Connection, session: &Session, now: LogTime) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_session WHERE n = ?1")?
        .execute([session.n.0])?;
    let until = session.refreshed + session.lasts;
    if until > now {
        db.prepare_cached("INSERT INTO oauth_revoked (n, until) VALUES (?1, ?2)")?
            .execute((session.n.0, until.0))?;
    }
    Ok(())
}

/// Removes up to `most` revocations of tokens that have expired.
pub fn purge_revoked(db: &Connection, now: LogTime, most: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM oauth_revoked WHERE n IN
           (SELECT n FROM oauth_revoked WHERE until < ?1 ORDER BY until, n LIMIT ?2)",
    )?
    .execute((now.0, most))?;
    Ok(())
}
