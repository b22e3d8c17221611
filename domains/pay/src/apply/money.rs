//! What the verbs share: what may leave a wallet, and how it does.

use super::{Cx, Ruled, Stop, bill, dispute, review, subscription, webhook};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::id::PaymentId;
use crate::state::wallet::{self, Purse};
use crate::state::{damaged, payment};
use bongsu_ledger::{AccountId, Amount, Between, Instruction, Money, balance};

/// Why money moves, as it stands in the ledger.
pub mod code {
    /// From the bank.
    pub const TOP_UP: u16 = 1;
    /// To the bank.
    pub const WITHDRAWAL: u16 = 2;
    /// Between people.
    pub const TRANSFER: u16 = 3;
    /// By a link.
    pub const LINK: u16 = 4;
    /// To a merchant.
    pub const PURCHASE: u16 = 5;
    /// From a merchant, for being paid.
    pub const FEE: u16 = 6;
    /// Back from a merchant.
    pub const REFUND: u16 = 7;
    /// Back to a merchant, of a fee.
    pub const FEE_BACK: u16 = 8;
    /// To a merchant's bank.
    pub const SETTLEMENT: u16 = 9;
}

/// The wallet of `owner` in the currency of `money`.
pub fn purse(cx: &Cx<'_>, owner: &str, money: &Money) -> Ruled<Purse> {
    let found = wallet::find(cx.db(), owner, money.currency)?;
    Ok(found.ok_or(Refused::NoWallet)?)
}

/// The wallet of somebody else, who is to be paid.
pub fn payee(cx: &Cx<'_>, owner: &str, money: &Money) -> Ruled<Purse> {
    let found = wallet::find(cx.db(), owner, money.currency)?;
    let found = found.ok_or(Refused::PayeeHasNoWallet)?;
    if found.frozen {
        return Err(Refused::PayeeFrozen.into());
    }
    Ok(found)
}

/// What an account has and does not hold.
pub fn available(cx: &Cx<'_>, account: AccountId) -> Ruled<i64> {
    let found = balance(cx.db(), account)?.ok_or_else(|| damaged("account"))?;
    Ok(found.credits_posted - found.debits_posted - found.debits_pending)
}

/// Whether `money` may leave the wallet now; then it is counted, and `purse.write` keeps that.
pub fn spend(cx: &Cx<'_>, purse: &mut Purse, money: &Money) -> Ruled<()> {
    let amount = money.amount.minor();
    if purse.frozen {
        return Err(Refused::WalletFrozen.into());
    }
    let limits = wallet::limits_of(cx.db(), purse.currency, purse.level)?;
    let (day, month) = purse.used(cx.time());
    for (used, limit, refused) in [
        (0, limits.payment, Refused::PaymentLimit),
        (day, limits.day, Refused::DayLimit),
        (month, limits.month, Refused::MonthLimit),
    ] {
        if amount > limit - used {
            return Err(refused.into());
        }
    }
    if available(cx, purse.account)? < amount {
        return Err(Refused::InsufficientFunds.into());
    }
    purse.count(cx.time(), cx.time(), amount);
    Ok(())
}

/// What was counted for `payment` counts no longer: it was not paid.
pub fn uncount(cx: &Cx<'_>, payment: &Payment) -> Ruled<()> {
    if let Some(mut purse) = wallet::find(cx.db(), &payment.payer, payment.currency)? {
        purse.count(cx.time(), payment.changed, -payment.amount);
        purse.write(cx.db())?;
    }
    Ok(())
}

/// Does all of `instructions` or none. What the ledger refuses is undone with everything else that the request did: the
/// ledger would keep the refusal with the movement's id for ever, while a payment may be tried again by another payer or
/// with another amount.
pub fn post(cx: &Cx<'_>, instructions: Vec<Instruction>) -> Ruled<()> {
    let last = instructions.len().saturating_sub(1);
    let chain: Vec<Instruction> = instructions
        .into_iter()
        .enumerate()
        .map(|(n, one)| if n < last { one.linked() } else { one })
        .collect();
    let answers = bongsu_ledger::apply(cx.db(), cx.time(), &chain)?;
    let mut refused = answers.into_iter().filter_map(Result::err);
    let refused = refused.find(|refused| *refused != bongsu_ledger::Refused::LinkedFailed);
    refused.map_or(Ok(()), |refused| {
        Err(Stop::Undone(match refused {
            bongsu_ledger::Refused::BalanceOverflows => Refused::TooLarge,
            bongsu_ledger::Refused::ExceedsCredits => Refused::InsufficientFunds,
            _ => Refused::BooksRefuse,
        }))
    })
}

/// A movement of `amount` for `id`.
pub fn between(debit: AccountId, credit: AccountId, money: Money) -> Between {
    Between {
        debit,
        credit,
        money,
    }
}

/// A payment that begins now.
pub fn begin(cx: &Cx<'_>, (kind, state): (Kind, State), money: &Money) -> Payment {
    Payment {
        id: PaymentId(cx.seed().derive("payment", 0)),
        kind,
        state,
        payer: String::new(),
        payee: String::new(),
        amount: money.amount.minor(),
        currency: money.currency,
        fee: 0,
        refunded: 0,
        fee_back: 0,
        note: String::new(),
        made: cx.time(),
        changed: cx.time(),
        expires: None,
    }
}

/// Keeps a payment that is at `state` from now on; its merchant is told.
pub fn turn(cx: &Cx<'_>, mut payment: Payment, state: State) -> Ruled<Answer> {
    let before = payment.state;
    payment.state = state;
    payment.changed = cx.time();
    payment::update(cx.db(), &payment)?;
    webhook::payment(cx, &payment)?;
    if matches!(before, State::Ready | State::Review) {
        subscription::follow(cx, &payment)?;
    }
    if before == State::Review {
        review::follow(cx, &payment)?;
        bill::follow(cx, &payment)?;
    }
    dispute::follow(cx, &payment)?;
    Ok(Answer::Payment(payment))
}

/// The amount of `payment`.
pub fn money(payment: &Payment) -> Money {
    Money {
        amount: Amount::new(payment.amount).expect("a payment's amount was checked when it began"),
        currency: payment.currency,
    }
}

/// `minor` units, if that is more than nothing.
pub fn some(minor: i64, like: &Payment) -> Option<Money> {
    let amount = Amount::new(minor).ok()?;
    Some(Money {
        amount,
        currency: like.currency,
    })
}
