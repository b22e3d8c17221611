//! Money from the bank and to it. The bank is asked after the commit; what it says comes back as a command.

use super::money::{begin, between, code, money, post, purse, spend, turn, uncount};
use super::{Cx, Ruled, Verdict, reject, webhook};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::command::{Accepted, BankSaid, Ordered, Rejected};
use crate::effect::Effect;
use crate::id::PaymentId;
use crate::state::merchant::{self, Settlement};
use crate::state::wallet::Purse;
use crate::state::{self, book, damaged, payment, set_aside as aside, top_up as coming, wallet};
use bongsu_lane::Actor;
use bongsu_ledger::{AccountId, Amount, Currency, Instruction, Money, balance};

/// How far settlements are.
const SETTLED: i64 = 2;
const NOT_SETTLED: i64 = 3;

fn account_at_bank(cx: &Cx<'_>, owner: &str) -> Ruled<String> {
    let found = wallet::bank_account(cx.db(), owner)?;
    Ok(found.ok_or(Refused::NoBankAccount)?)
}

fn bank(cx: &Cx<'_>, currency: Currency) -> Ruled<AccountId> {
    let found = book::find(cx.db(), currency)?;
    Ok(found.ok_or_else(|| damaged("currency"))?.bank)
}

fn order(cx: &mut Cx<'_>, payment: &Payment, account: String) -> Ruled<()> {
    cx.effect(&Effect::Bank {
        order: Ordered::Payment(payment.id),
        collect: payment.kind == Kind::TopUp,
        account,
        money: money(payment),
    })?;
    Ok(())
}

pub(super) fn top_up(cx: &mut Cx<'_>, owner: &str, money: &Money) -> Ruled<Answer> {
    let mine = purse(cx, owner, money)?;
    ask_bank(cx, &mine, owner, money).map(Answer::Payment)
}

fn ask_bank(cx: &mut Cx<'_>, mine: &Purse, owner: &str, money: &Money) -> Ruled<Payment> {
    if mine.frozen {
        return Err(Refused::WalletFrozen.into());
    }
    let account = account_at_bank(cx, owner)?;
    let mut asked = begin(cx, (Kind::TopUp, State::AtBank), money);
    asked.payee = owner.into();
    payment::insert(cx.db(), &asked)?;
    order(cx, &asked, account)?;
    Ok(asked)
}

/// As before, if it is within the limits of whoever asks, and if wallet and bank can take it whatever else is to come.
pub(super) fn top_up_within(cx: &mut Cx<'_>, owner: &str, money: &Money) -> Ruled<Answer> {
    let mine = purse(cx, owner, money)?;
    let (amount, currency) = (money.amount.minor(), money.currency);
    let limits = coming::limits_of(cx.db(), currency, mine.level)?;
    if amount > limits.top_up {
        return Err(Refused::TopUpLimit.into());
    }
    let sum = |counted: &[i64]| {
        let mut all = counted.iter();
        all.try_fold(amount, |sum, next| sum.checked_add(*next))
    };
    let has = balance(cx.db(), mine.account)?.ok_or_else(|| damaged("account"))?;
    let to_come = coming::coming(cx.db(), owner, currency)?;
    let in_all = sum(&[to_come, has.credits_posted, has.credits_pending]);
    let will_have = in_all.ok_or(Refused::TooLarge)? - has.debits_posted;
    if will_have > limits.balance {
        return Err(Refused::BalanceLimit.into());
    }
    let at_bank = balance(cx.db(), bank(cx, currency)?)?.ok_or_else(|| damaged("account"))?;
    let to_come = coming::coming(cx.db(), coming::ALL, currency)?;
    sum(&[to_come, at_bank.debits_posted, at_bank.debits_pending]).ok_or(Refused::TooLarge)?;
    let asked = ask_bank(cx, &mine, owner, money)?;
    coming::await_it(cx.db(), asked.id, (owner, currency), amount)?;
    Ok(Answer::Payment(asked))
}

pub(super) fn withdraw(cx: &mut Cx<'_>, owner: &str, money: &Money) -> Ruled<Answer> {
    let mut mine = purse(cx, owner, money)?;
    let account = account_at_bank(cx, owner)?;
    spend(cx, &mut mine, money)?;
    let mut asked = begin(cx, (Kind::Withdrawal, State::AtBank), money);
    asked.payer = owner.into();
    let moved = between(mine.account, bank(cx, money.currency)?, *money);
    let hold = Instruction::hold(asked.id.movement("hold", 0), moved, None);
    post(cx, vec![hold.with(code::WITHDRAWAL, asked.id.0)])?;
    mine.write(cx.db())?;
    payment::insert(cx.db(), &asked)?;
    order(cx, &asked, account)?;
    Ok(Answer::Payment(asked))
}

/// What the bank said. Said a second time, it changes nothing.
pub(super) fn said(cx: &mut Cx<'_>, order: &Ordered, said: &BankSaid) -> Verdict {
    let operator = cx.actor().operator();
    if operator.is_none() && *cx.actor() != Actor::Platform {
        return Err(reject(Rejected::NotAllowed));
    }
    match order {
        Ordered::Payment(id) => {
            let found = payment::find(cx.db(), *id)?
                .ok_or_else(|| reject(Refused::NoSuchPayment.into()))?;
            if found.state == State::AtBank {
                said_of_payment(cx, found, said)?;
                aside::forget(cx.db(), order)?;
            }
        }
        Ordered::Settlement(n) => {
            let found = merchant::settlement(cx.db(), *n)?;
            let found = found.ok_or_else(|| reject(Refused::NothingToSettle.into()))?;
            if found.state == 1 {
                said_of_settlement(cx, &found, said)?;
                aside::forget(cx.db(), order)?;
            }
        }
    }
    if let Some(operator) = operator {
        note(cx, &operator, order)?;
    }
    Ok(Accepted::Done)
}

/// Keeps apart what the bank said of an order that waits, because the books refuse to take it.
pub(super) fn set_aside(
    cx: &Cx<'_>,
    order: &Ordered,
    (said, why): (&BankSaid, Refused),
) -> Verdict {
    if *cx.actor() != Actor::Platform {
        return Err(reject(Rejected::NotAllowed));
    }
    if state::waits(cx.db(), order)? {
        aside::keep(cx.db(), order, said, why)?;
    }
    Ok(Accepted::Done)
}

/// What an operator told in the bank's place is in the audit log.
fn note(cx: &mut Cx<'_>, who: &str, order: &Ordered) -> rusqlite::Result<()> {
    let target = match order {
        Ordered::Payment(id) => id.to_string(),
        Ordered::Settlement(n) => format!("settlement {n}"),
    };
    let act = bongsu_audit::Act {
        who,
        act: "bank.said",
        target: &target,
        reason: None,
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &act)
}

fn said_of_payment(cx: &Cx<'_>, mut found: Payment, said: &BankSaid) -> Ruled<()> {
    let (id, money) = (found.id, money(&found));
    let hold = id.movement("hold", 0);
    let state = match (found.kind, said) {
        (Kind::TopUp, BankSaid::Done { .. }) => {
            let to = purse(cx, &found.payee, &money)?;
            let moved = between(bank(cx, found.currency)?, to.account, money);
            let came = Instruction::transfer(id.movement("pay", 0), moved);
            post(cx, vec![came.with(code::TOP_UP, id.0)])?;
            State::Paid
        }
        (Kind::Withdrawal, BankSaid::Done { .. }) => {
            let settle = Instruction::settle(id.movement("settle", 0), hold, None);
            post(cx, vec![settle.with(code::WITHDRAWAL, id.0)])?;
            State::Paid
        }
        (kind, BankSaid::Refused { .. }) => {
            if kind == Kind::Withdrawal {
                post(cx, vec![Instruction::void(id.movement("void", 0), hold)])?;
                uncount(cx, &found)?;
            }
            State::Declined
        }
        _ => return Ok(()),
    };
    if found.kind == Kind::TopUp {
        let whose = (found.payee.as_str(), found.currency);
        coming::arrived(cx.db(), id, whose, found.amount)?;
    }
    found.note = match said {
        BankSaid::Done { reference } => reference.clone(),
        BankSaid::Refused { reason } => reason.clone(),
    };
    turn(cx, found, state).map(drop)
}

fn said_of_settlement(cx: &Cx<'_>, found: &Settlement, said: &BankSaid) -> Ruled<()> {
    let shop = merchant::find(cx.db(), &found.merchant)?.ok_or_else(|| damaged("merchant"))?;
    let (to, part, state) = match said {
        BankSaid::Done { .. } => (bank(cx, shop.currency)?, "paid", SETTLED),
        BankSaid::Refused { .. } => (shop.pending, "refused", NOT_SETTLED),
    };
    move_settlement(cx, found, part, (shop.payable, to))?;
    merchant::settled(cx.db(), found.n, state)?;
    let found = found.clone();
    webhook::settlement(cx, Settlement { state, ..found })?;
    Ok(())
}

/// One of a settlement's movements.
pub(super) fn move_settlement(
    cx: &Cx<'_>,
    settlement: &Settlement,
    part: &str,
    (from, to): (AccountId, AccountId),
) -> Ruled<()> {
    let mut name = [0; 16];
    name[8..].copy_from_slice(&settlement.n.to_be_bytes());
    let money = Money {
        amount: Amount::new(settlement.amount).map_err(|_| damaged("amount"))?,
        currency: settlement
            .currency
            .parse()
            .map_err(|_| damaged("currency"))?,
    };
    let id = PaymentId(name).movement(part, settlement.n.unsigned_abs());
    let moved = Instruction::transfer(id, between(from, to, money));
    post(cx, vec![moved.with(code::SETTLEMENT, name)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Act, Command, TopUpLimits, Verb};
    use crate::testing::{Bench, krw};

    fn done() -> BankSaid {
        BankSaid::Done {
            reference: "B1".into(),
        }
    }

    fn refused() -> BankSaid {
        BankSaid::Refused {
            reason: "no such account".into(),
        }
    }

    fn tell(bench: &Bench, order: &Ordered, said: BankSaid) {
        let order = order.clone();
        let told = bench.ask(Actor::Platform, Command::BankSaid { order, said });
        assert_eq!(told, Ok(Accepted::Done));
    }

    #[test]
    fn what_the_bank_says_first_is_done_once() {
        let bench = Bench::with_wallets(&[("mina", 1_000)]);
        let up = Bench::payment(bench.verb("mina", Verb::TopUp(krw(500))).expect("asked")).id;
        assert_eq!(bench.available("mina"), 1_000);
        for said in [done(), done(), refused()] {
            tell(&bench, &Ordered::Payment(up), said);
        }
        assert_eq!(bench.available("mina"), 1_500);
        for (said, left) in [(refused(), 1_500), (done(), 1_100)] {
            let out = bench.verb("mina", Verb::Withdraw(krw(400))).expect("asked");
            assert_eq!(bench.available("mina"), 1_100);
            let order = Ordered::Payment(Bench::payment(out).id);
            for said in [said, done(), refused()] {
                tell(&bench, &order, said);
            }
            assert_eq!(bench.available("mina"), left);
        }
        bench.prove();
    }

    #[test]
    fn top_ups_are_within_the_limits_of_the_level_with_what_is_still_to_come() {
        let bench = Bench::with_wallets(&[("mina", 1_000), ("juno", 0)]);
        let up = |name: &str, amount| {
            let asked = bench.verb(name, Verb::TopUpWithin(krw(amount)));
            asked.map(|answer| Ordered::Payment(Bench::payment(answer).id))
        };
        assert_eq!(up("mina", 500_001), Err(Refused::TopUpLimit));
        let begun: Vec<_> = (0..3)
            .map(|_| up("mina", 500_000).expect("asked"))
            .collect();
        assert_eq!(up("mina", 499_001), Err(Refused::BalanceLimit));
        let last = up("mina", 499_000).expect("asked");
        assert_eq!(up("mina", 1), Err(Refused::BalanceLimit));
        assert!(up("juno", 1).is_ok(), "limits are each one's own");
        tell(&bench, &begun[0], done());
        tell(&bench, &begun[0], done());
        assert_eq!(up("mina", 1), Err(Refused::BalanceLimit));
        tell(&bench, &last, refused());
        assert!(up("mina", 499_000).is_ok());
        let owner = crate::testing::user("mina");
        bench.administer(Act::SetLevel { owner, level: 1 });
        assert!(up("mina", 2_000_000).is_ok());
        let limits = TopUpLimits {
            top_up: 10,
            balance: i64::MAX,
        };
        let (currency, level) = (Currency::KRW, 1);
        bench.administer(Act::SetTopUpLimits {
            currency,
            level,
            limits,
        });
        assert_eq!(up("mina", 11), Err(Refused::TopUpLimit));
        assert!(up("mina", 10).is_ok());
        bench.prove();
    }

    #[test]
    fn whatever_the_bank_is_asked_for_fits_into_the_books() {
        let bench = Bench::with_wallets(&[("mina", 0), ("juno", 0)]);
        let limits = TopUpLimits {
            top_up: i64::MAX,
            balance: i64::MAX,
        };
        bench.administer(Act::SetTopUpLimits {
            currency: Currency::KRW,
            level: 0,
            limits,
        });
        let up = |name: &str, amount| {
            let asked = bench.verb(name, Verb::TopUpWithin(krw(amount)));
            asked.map(|answer| Ordered::Payment(Bench::payment(answer).id))
        };
        let first = up("mina", i64::MAX - 5).expect("asked");
        assert_eq!(up("juno", 6), Err(Refused::TooLarge));
        let second = up("juno", 5).expect("asked");
        for order in [first, second] {
            tell(&bench, &order, done());
        }
        assert_eq!(bench.balances(&["mina", "juno"]), [i64::MAX - 5, 5]);
        assert_eq!(up("juno", 1), Err(Refused::TooLarge));
        bench.prove();
    }

    #[test]
    fn a_top_up_under_a_key_from_before_the_limits_is_the_same_request() {
        let (before, now) = (Verb::TopUp(krw(5)), Verb::TopUpWithin(krw(5)));
        assert_eq!(before.print(), now.print());
        assert_ne!(now.print(), Verb::TopUpWithin(krw(6)).print());
    }

    #[test]
    fn a_settlement_pays_what_was_earned_or_comes_back() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let settle = || bench.try_administer(Act::Settle("shop".parse().expect("an id")));
        assert_eq!(settle(), Err(Rejected::Refused(Refused::NothingToSettle)));
        bench.buy("mina", 1_000);
        for (n, said, left) in [(1, refused(), 970), (2, done(), 0)] {
            assert_eq!(settle(), Ok(Accepted::Done));
            assert_eq!(bench.pending(), 0);
            tell(&bench, &Ordered::Settlement(n), said);
            tell(&bench, &Ordered::Settlement(n), done());
            assert_eq!(bench.pending(), left);
        }
        bench.prove();
    }
}
