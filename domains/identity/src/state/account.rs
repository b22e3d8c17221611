//! Accounts.

use super::id;
use crate::secret::PasswordHash;
use bongsu_base::{LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// An account's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its password; `None` where nobody can sign in with one.
    pub password: Option<PasswordHash>,
    /// How many passwords it has had, from 1.
    pub generation: u32,
    /// Whether it was deactivated.
    pub deactivated: bool,
}

/// Reads an account.
pub fn get(db: &Connection, user: &UserId) -> Result<Option<Account>> {
    db.prepare_cached("SELECT password, generation, deactivated FROM account WHERE user = ?1")?
        .query_row([user.as_str()], |row| {
            Ok(Account {
                password: row.get::<_, Option<String>>(0)?.map(PasswordHash::from_phc),
                generation: row.get(1)?,
                deactivated: row.get::<_, Option<i64>>(2)?.is_some(),
            })
        })
        .optional()
}

/// Writes a new account.
pub fn insert(
    db: &Connection,
    user: &UserId,
    password: Option<&PasswordHash>,
    admin: bool,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO account (user, password, generation, admin, created) VALUES (?1, ?2, 1, ?3, ?4)",
    )?
    .execute((user.as_str(), password.map(PasswordHash::as_phc), admin, now.0))?;
    Ok(())
}

/// Gives an account its next password.
pub fn set_password(db: &Connection, user: &UserId, password: &PasswordHash) -> Result<()> {
    db.prepare_cached(
        "UPDATE account SET password = ?2, generation = generation + 1 WHERE user = ?1",
    )?
    .execute((user.as_str(), password.as_phc()))?;
    Ok(())
}

/// Ends an account; its name stays taken.
pub fn deactivate(db: &Connection, user: &UserId, now: LogTime) -> Result<()> {
    db.prepare_cached(
        "UPDATE account SET password = NULL, admin = 0, deactivated = ?2 WHERE user = ?1",
    )?
    .execute((user.as_str(), now.0))?;
    Ok(())
}

/// Lets an account administer the installation, or no longer.
pub fn set_admin(db: &Connection, user: &UserId, admin: bool) -> Result<()> {
    db.prepare_cached("UPDATE account SET admin = ?2 WHERE user = ?1")?
        .execute((user.as_str(), admin))?;
    Ok(())
}

/// What an operator sees of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose.
    pub user: UserId,
    /// Whether it may administer the installation.
    pub admin: bool,
    /// When it was made.
    pub created: LogTime,
    /// When it was ended.
    pub deactivated: Option<LogTime>,
    /// Whether it is locked.
    pub locked: bool,
    /// Whether it is suspended.
    pub suspended: bool,
}

const LISTED: &str =
    "SELECT account.user, admin, created, deactivated, coalesce(locked, 0), coalesce(suspended, 0)
     FROM account LEFT JOIN restricted USING (user)";

impl Listed {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            user: id(row, 0)?,
            admin: row.get(1)?,
            created: LogTime(row.get(2)?),
            deactivated: row.get::<_, Option<i64>>(3)?.map(LogTime),
            locked: row.get(4)?,
            suspended: row.get(5)?,
        })
    }
}

/// What an operator sees of one account.
pub fn listed(db: &Connection, user: &UserId) -> Result<Option<Listed>> {
    db.prepare_cached(&format!("{LISTED} WHERE account.user = ?1"))?
        .query_row([user.as_str()], Listed::from_row)
        .optional()
}

/// Up to `limit` accounts after `after` by id, whose id contains `name`.
pub fn list(db: &Connection, after: &str, name: &str, limit: usize) -> Result<Vec<Listed>> {
    db.prepare_cached(&format!(
        "{LISTED} WHERE account.user > ?1 AND instr(account.user, ?2) > 0
         ORDER BY account.user LIMIT ?3"
    ))?
    .query_map((after, name, limit as i64), Listed::from_row)?
    .collect()
}
