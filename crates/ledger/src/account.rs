//! Accounts: what is known of one, and how it is written down.

use crate::bytes::{Reader, Writer};
use crate::trail::Trail;
use crate::{AccountId, LedgerId, Refused};
use bongsu_base::LogTime;
use serde::{Deserialize, Serialize};

/// What an account must never do; money that is held counts as moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// Nothing is forbidden.
    None = 0,
    /// Its debits must not exceed its credits: a wallet, which never owes.
    DebitsWithinCredits = 1,
    /// Its credits must not exceed its debits: a bank's account with us, which never gives what is not there.
    CreditsWithinDebits = 2,
}

impl Limit {
    /// The limit that is written down as `number`.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        let all = [
            Self::None,
            Self::DebitsWithinCredits,
            Self::CreditsWithinDebits,
        ];
        all.into_iter().find(|limit| *limit as u8 == number)
    }
}

/// Whether an account takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It does.
    Open = 0,
    /// Holds may be given back; nothing else moves, until it is open again.
    Frozen = 1,
    /// Nothing moves ever again.
    Closed = 2,
}

impl Standing {
    /// The standing that is written down as `number`.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        let all = [Self::Open, Self::Frozen, Self::Closed];
        all.into_iter().find(|standing| *standing as u8 == number)
    }
}

/// What an account has received and given since it was opened, in minor units, each 0 to 2^63 - 1.
/// Posted is what moved; pending is what is held, and may yet move or not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// All that left, for an account whose balance is its credits.
    pub debits_posted: i64,
    /// All that came.
    pub credits_posted: i64,
    /// What is held to leave.
    pub debits_pending: i64,
    /// What is held to come.
    pub credits_pending: i64,
}

/// What an account is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its number, from 1.
    pub id: AccountId,
    /// Its ledger.
    pub ledger: LedgerId,
    /// Its kind, in the chart of accounts of whoever uses the ledger.
    pub code: u16,
    /// What it must never do.
    pub limit: Limit,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it was opened with.
    pub opened: NewAccount,
    /// When it was opened.
    pub since: LogTime,
    /// Whether it takes part.
    pub standing: Standing,
    /// What it received and gave.
    pub balance: Balance,
    pub(crate) trail: Trail,
}

/// A side of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Where it is debited.
    Debit,
    /// Where it is credited.
    Credit,
}

/// By how much a side changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub posted: i64,
    pub pending: i64,
}

impl Balance {
    /// The numbers of one side: posted, pending.
    #[must_use]
    pub fn of(&self, side: Side) -> (i64, i64) {
        match side {
            Side::Debit => (self.debits_posted, self.debits_pending),
            Side::Credit => (self.credits_posted, self.credits_pending),
        }
    }

    /// The balance after `side` changed by `delta`; `None` when that cannot be written down.
    pub(crate) fn after(mut self, side: Side, delta: Delta) -> Option<Self> {
        let (posted, pending) = match side {
            Side::Debit => (&mut self.debits_posted, &mut self.debits_pending),
            Side::Credit => (&mut self.credits_posted, &mut self.credits_pending),
        };
        *posted = posted.checked_add(delta.posted)?;
        *pending = pending.checked_add(delta.pending)?;
        posted.checked_add(*pending)?;
        Some(self)
    }

    /// Whether it obeys `limit`.
    ///
    /// # Errors
    /// [`Refused::ExceedsCredits`] and [`Refused::ExceedsDebits`].
    pub fn within(&self, limit: Limit) -> Result<(), Refused> {
        let (debits, credits) = (self.of(Side::Debit), self.of(Side::Credit));
        match limit {
            Limit::DebitsWithinCredits if debits.0 + debits.1 > credits.0 => {
                Err(Refused::ExceedsCredits)
            }
            Limit::CreditsWithinDebits if credits.0 + credits.1 > debits.0 => {
                Err(Refused::ExceedsDebits)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        to.i64(self.debits_posted);
        to.i64(self.credits_posted);
        to.i64(self.debits_pending);
        to.i64(self.credits_pending);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            debits_posted: from.i64()?,
            credits_posted: from.i64()?,
            debits_pending: from.i64()?,
            credits_pending: from.i64()?,
        })
    }
}

/// Without the heads of its movements.
const FIXED: usize = 8 + 4 + 2 + 3 + 8 + 32 + 8;

impl Account {
    /// Writes it down, as [`Self::read`] reads it.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        let opened = &self.opened;
        let heads = self.trail.heads.len();
        let at = to.len();
        to.resize(at + FIXED + 8 * heads, 0);
        let mut to = Writer(&mut to[at..]);
        to.i64(opened.id.0);
        to.bytes(&opened.ledger.0.to_le_bytes());
        to.bytes(&opened.code.to_le_bytes());
        // There are at most 64 trees of movements, one for each power of two.
        to.bytes(&[opened.limit as u8, self.standing as u8, heads as u8]);
        to.i64(self.since.0);
        self.balance.write(&mut to);
        to.i64(self.trail.count);
        for head in &self.trail.heads {
            to.i64(*head);
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let id = AccountId(from.i64()?);
        let ledger = LedgerId(u32::from_le_bytes(from.bytes()?));
        let code = u16::from_le_bytes(from.bytes()?);
        let [limit, standing, heads] = from.bytes()?;
        let limit = Limit::from_number(limit)?;
        let standing = Standing::from_number(standing)?;
        let since = LogTime(from.i64()?);
        let balance = Balance::read(from)?;
        let count = from.i64()?;
        let heads = (0..heads).map(|_| from.i64()).collect::<Option<_>>()?;
        Some(Self {
            opened: NewAccount {
                id,
                ledger,
                code,
                limit,
            },
            since,
            standing,
            balance,
            trail: Trail { count, heads },
        })
    }
}
