//! What no migration can say in SQL.

use crate::account::{Account, Balance, Limit, NewAccount, Standing};
use crate::block::{Block, BlockId};
use crate::bytes::{Reader, damaged};
use crate::trail::Trail;
use crate::{AccountId, LedgerId, known};
use bongsu_base::LogTime;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;

/// Brings what an earlier release kept into the tables that the migrations made; where it is there already, nothing happens.
/// What comes of it depends on nothing but what the books hold, apart from the tables that are derived.
///
/// # Errors
/// When the view cannot be read or written.
pub fn migrated(db: &Connection) -> rusqlite::Result<()> {
    let before =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'ledger_account'";
    if db.query_row(before, (), |row| row.get::<_, i64>(0))? > 0 {
        move_accounts(db)?;
    }
    known::index(db)
}

/// Accounts once had a row each.
fn move_accounts(db: &Connection) -> rusqlite::Result<()> {
    let mut statement = db.prepare(
        "SELECT id, ledger, code, bound, since, standing, body FROM ledger_account ORDER BY id",
    )?;
    let mut blocks = BTreeMap::<BlockId, Block>::new();
    for account in statement.query_map((), of_row)? {
        let account = account?;
        let id = BlockId::of(account.opened.id);
        if !blocks.contains_key(&id) {
            Block::write(db, blocks.iter().map(|(id, block)| (*id, block)))?;
            blocks.clear();
        }
        blocks.entry(id).or_default().put(account);
    }
    Block::write(db, blocks.iter().map(|(id, block)| (*id, block)))?;
    drop(statement);
    db.execute_batch("DROP TABLE ledger_account")
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Account> {
    let limit = Limit::from_number(row.get(3)?).ok_or_else(|| damaged("limit"))?;
    let standing = Standing::from_number(row.get(5)?).ok_or_else(|| damaged("standing"))?;
    let mut body = Reader(row.get_ref(6)?.as_blob()?);
    let balance = Balance::read(&mut body).ok_or_else(|| damaged("account"))?;
    let count = body.i64().ok_or_else(|| damaged("account"))?;
    let heads = std::iter::from_fn(|| body.i64()).collect();
    Ok(Account {
        opened: NewAccount {
            id: AccountId(row.get(0)?),
            ledger: LedgerId(row.get(1)?),
            code: row.get(2)?,
            limit,
        },
        since: LogTime(row.get(4)?),
        standing,
        balance,
        trail: Trail { count, heads },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::books;

    #[test]
    fn the_books_of_an_earlier_release_are_the_same() {
        let db = books();
        let accounts = Account::page(&db, AccountId(0), 100).expect("readable");
        assert_eq!(accounts.len(), 5);
        // As they stood then, and without an index.
        db.execute_batch(
            "CREATE TABLE ledger_account (id INTEGER PRIMARY KEY, ledger INTEGER NOT NULL, code INTEGER NOT NULL,
               bound INTEGER NOT NULL, since INTEGER NOT NULL, standing INTEGER NOT NULL, body BLOB NOT NULL);
             DELETE FROM ledger_block;
             DELETE FROM derived_ledger_page;
             UPDATE derived_ledger_state SET last = 0, refused = 0, ids_0 = 0, swept_0 = 0, ids_1 = 0, swept_1 = 0",
        )
        .expect("made");
        for account in &accounts {
            let mut body = Vec::new();
            account.write(&mut body);
            // The balance, the count and the heads stand at the end, then as now.
            let opened = &account.opened;
            db.execute(
                "INSERT INTO ledger_account VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    opened.id.0,
                    opened.ledger.0,
                    opened.code,
                    opened.limit as i64,
                    account.since.0,
                    account.standing as i64,
                    &body[25..],
                ),
            )
            .expect("written");
        }
        migrated(&db).expect("moved");
        assert_eq!(Account::page(&db, AccountId(0), 100), Ok(accounts));
        assert_eq!(crate::check(&db), Ok(Ok(4)));
        migrated(&db).expect("nothing to do");
    }
}
