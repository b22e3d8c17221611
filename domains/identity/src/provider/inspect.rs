//! Which of the provider's keys can be opened here, for whoever looks after the installation.

use super::keys::purpose;
use super::{Vault, VaultError};
use crate::state::oauth::key;
use bongsu_base::LogTime;
use rusqlite::{Connection, Result};

/// A key that stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its name.
    pub kid: String,
    /// Whether it is the newest of its kind, with which is signed, now or soon.
    pub newest: bool,
    /// Whether it can be opened, and why not.
    pub opens: std::result::Result<(), VaultError>,
}

/// The keys in identity's view `db` that are of use at `now`, and whether `vault` opens them. A view of a release that
/// knew none has none.
///
/// # Errors
/// When the view cannot be read.
pub fn sealed_keys(db: &Connection, vault: Option<&Vault>, now: LogTime) -> Result<Vec<SealedKey>> {
    if !db.table_exists(None, "oauth_key")? {
        return Ok(Vec::new());
    }
    let rows = key::all(db)?.into_iter();
    let used = rows.filter(|row| row.gone_from.is_none_or(|gone| gone > now));
    let look = |row: key::Key| {
        let vault = vault.ok_or(VaultError::OtherKey);
        let opened = vault.and_then(|vault| vault.open(&purpose(row.kind, &row.kid), &row.sealed));
        SealedKey {
            kid: row.kid,
            newest: row.gone_from.is_none(),
            opens: opened.map(drop),
        }
    };
    Ok(used.map(look).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use crate::command::oauth::KeyKind;
    use bongsu_lane::Domain;

    #[test]
    fn a_key_opens_under_its_own_key_alone() {
        let db = Connection::open_in_memory().unwrap();
        let vault = |byte| Vault::parse(&Vault::file(&[byte; 32])).unwrap();
        let (own, other) = (vault(1), vault(2));
        assert_eq!(sealed_keys(&db, Some(&own), LogTime(0)), Ok(Vec::new()));
        for migration in Identity::MIGRATIONS {
            db.execute_batch(migration).unwrap();
        }
        let add = |kid: &str, gone_from: Option<i64>, damaged: bool| {
            let mut sealed = own.seal(&purpose(KeyKind::Refresh, kid), &[7; 32], [9; 12]);
            sealed.bytes[13] ^= u8::from(damaged);
            let row = key::Key {
                kid: kid.to_owned(),
                kind: KeyKind::Refresh,
                public: String::new(),
                sealed,
                made: LogTime(0),
                signs_from: LogTime(0),
                gone_from: gone_from.map(LogTime),
            };
            key::insert(&db, &row).unwrap();
        };
        add("a", Some(5), false);
        add("b", Some(50), true);
        add("c", None, false);
        let look = |vault: Option<&Vault>| -> Vec<_> {
            let found = sealed_keys(&db, vault, LogTime(10)).unwrap().into_iter();
            found.map(|key| (key.kid, key.newest, key.opens)).collect()
        };
        let expect = |b, c| vec![("b".to_owned(), false, b), ("c".to_owned(), true, c)];
        let missing = Err(VaultError::OtherKey);
        assert_eq!(look(Some(&own)), expect(Err(VaultError::Damaged), Ok(())));
        assert_eq!(look(Some(&other)), expect(missing, missing));
        assert_eq!(look(None), expect(missing, missing));
    }
}
