//! Accounts.

use crate::secret::PasswordHash;
use bongsu_base::{LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result};

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
