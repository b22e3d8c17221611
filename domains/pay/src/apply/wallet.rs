//! Opening wallets, and saying which bank account is one's own.

use super::{Cx, Ruled};
use crate::answer::Answer;
use crate::state::wallet;
use bongsu_ledger::Currency;

pub(super) fn open(cx: &mut Cx<'_>, owner: &str, currency: Currency) -> Ruled<Answer> {
    let purse = wallet::open(cx.db(), cx.time(), owner, currency)?;
    Ok(Answer::Wallet(purse.shown(cx.db(), cx.time())?))
}

pub(super) fn link_bank(cx: &mut Cx<'_>, owner: &str, account: &str) -> Ruled<Answer> {
    wallet::link_bank(cx.db(), owner, account)?;
    Ok(Answer::BankAccount(account.to_owned()))
}
