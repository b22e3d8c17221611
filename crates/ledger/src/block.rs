//! Accounts in their table: some share a row, since each row that is asked for or written costs more than what stands in it.

use crate::AccountId;
use crate::account::Account;
use crate::bytes::{Reader, damaged};
use rusqlite::{Connection, OptionalExtension, Row};

/// Which accounts stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlockId(pub i64);

impl BlockId {
    /// How many numbers of accounts a block has. Two or three blocks fill a page of SQLite's.
    const WIDTH: i64 = 8;

    pub fn of(account: AccountId) -> Self {
        Self(account.0.div_euclid(Self::WIDTH))
    }
}

/// The accounts that stand together in one row, since what is asked of a row costs more than to read and write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// In the order of their numbers.
    accounts: Vec<Account>,
}

impl Block {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut body = Reader(row.get_ref(0)?.as_blob()?);
        let mut accounts = Vec::with_capacity(BlockId::WIDTH as usize);
        while !body.0.is_empty() {
            accounts.push(Account::read(&mut body).ok_or_else(|| damaged("account"))?);
        }
        Ok(Self { accounts })
    }

    /// The block `id`, empty where it has no accounts.
    pub fn by_id(db: &Connection, id: BlockId) -> rusqlite::Result<Self> {
        let block = db
            .prepare_cached("SELECT body FROM ledger_block WHERE id = ?1")?
            .query_row([id.0], Self::from_row)
            .optional()?;
        Ok(block.unwrap_or_default())
    }

    fn place(&self, account: AccountId) -> Result<usize, usize> {
        self.accounts
            .binary_search_by_key(&account, |account| account.opened.id)
    }

    pub fn get(&self, account: AccountId) -> Option<&Account> {
        self.place(account).ok().map(|at| &self.accounts[at])
    }

    pub fn get_mut(&mut self, account: AccountId) -> Option<&mut Account> {
        self.place(account).ok().map(|at| &mut self.accounts[at])
    }

    fn take(mut self, account: AccountId) -> Option<Account> {
        let at = self.place(account).ok()?;
        Some(self.accounts.swap_remove(at))
    }

    pub fn put(&mut self, account: Account) {
        match self.place(account.opened.id) {
            Ok(at) => self.accounts[at] = account,
            Err(at) => self.accounts.insert(at, account),
        }
    }

    pub fn write<'a>(
        db: &Connection,
        blocks: impl Iterator<Item = (BlockId, &'a Self)>,
    ) -> rusqlite::Result<()> {
        let mut write = db.prepare_cached("REPLACE INTO ledger_block VALUES (?1, ?2)")?;
        let mut body = Vec::new();
        for (id, block) in blocks {
            body.clear();
            for account in &block.accounts {
                account.write(&mut body);
            }
            write.execute((id.0, &body[..]))?;
        }
        Ok(())
    }
}

impl Account {
    /// The account `id`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_id(db: &Connection, id: AccountId) -> rusqlite::Result<Option<Self>> {
        Ok(Block::by_id(db, BlockId::of(id))?.take(id))
    }

    /// Up to `limit` accounts numbered above `after`, in the order of their numbers.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn page(db: &Connection, after: AccountId, limit: u32) -> rusqlite::Result<Vec<Self>> {
        let mut page = Vec::new();
        let mut statement =
            db.prepare_cached("SELECT body FROM ledger_block WHERE id >= ?1 ORDER BY id")?;
        let mut rows = statement.query([BlockId::of(after).0])?;
        while page.len() < limit as usize
            && let Some(row) = rows.next()?
        {
            page.extend(Block::from_row(row)?.accounts);
            page.retain(|account| account.opened.id > after);
        }
        page.truncate(limit as usize);
        Ok(page)
    }

    pub(crate) fn put(self, db: &Connection) -> rusqlite::Result<()> {
        let id = BlockId::of(self.opened.id);
        let mut block = Block::by_id(db, id)?;
        block.put(self);
        Block::write(db, [(id, &block)].into_iter())
    }
}
