//! Whether what a gateway found about a password opens an account.

use super::{Cx, lockout};
use crate::command::{Denial, Proof};
use crate::state::account::Account;
use bongsu_base::UserId;
use rusqlite::Result;

/// `None` when the account opens. A failure is counted, a success forgets the account's failures.
pub(super) fn judge(
    cx: &Cx<'_>,
    user: &UserId,
    account: Option<&Account>,
    proof: &Proof,
) -> Result<Option<Denial>> {
    let now = cx.time();
    if let Some(retry_after) = lockout::wait(cx.db(), user, &proof.address, now)? {
        return Ok(Some(Denial::Locked { retry_after }));
    }
    if account.map_or(0, |account| account.generation) != proof.generation {
        return Ok(Some(Denial::Stale));
    }
    let opens = proof.matched && account.is_some_and(|account| account.password.is_some());
    if !opens {
        lockout::count(cx.db(), user, &proof.address, now)?;
        return Ok(Some(Denial::WrongPassword));
    }
    lockout::opened(cx.db(), user)?;
    Ok(None)
}

/// As [`judge`], for a command that the operator gives without a proof and a person only with one.
pub(super) fn judge_unless_operator(
    cx: &Cx<'_>,
    user: &UserId,
    account: &Account,
    proof: Option<&Proof>,
) -> Result<Option<Denial>> {
    match proof {
        _ if cx.actor().is_operator() => Ok(None),
        Some(proof) => judge(cx, user, Some(account), proof),
        None => Ok(Some(Denial::WrongPassword)),
    }
}
