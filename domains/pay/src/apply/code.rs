//! Codes that people show at a till, to be charged once.

use super::purchase::{pay_now, trading};
use super::{Cx, Ruled};
use crate::answer::{Answer, Refused};
use crate::id::Hash;
use crate::state::{code, wallet};
use bongsu_base::Millis;
use bongsu_ledger::Money;

/// How long a code is good.
const LASTS: Millis = Millis::minutes(1);

pub(super) fn show(cx: &mut Cx<'_>, owner: &str, hash: Hash) -> Ruled<Answer> {
    if wallet::of(cx.db(), owner)?.is_empty() {
        return Err(Refused::NoWallet.into());
    }
    if code::find(cx.db(), hash)?.is_some() {
        return Err(Refused::WrongState.into());
    }
    let until = cx.time() + LASTS;
    code::insert(cx.db(), hash, owner, until)?;
    Ok(Answer::Code(until))
}

pub(super) fn charge(
    cx: &mut Cx<'_>,
    id: &str,
    hash: Hash,
    (money, order): (&Money, &str),
) -> Ruled<Answer> {
    let shop = trading(cx, id)?;
    if shop.currency != money.currency {
        return Err(Refused::WrongCurrency.into());
    }
    let shown = code::find(cx.db(), hash)?.filter(|(_, until)| cx.time() < *until);
    let (owner, _) = shown.ok_or(Refused::NoSuchCode)?;
    let paid = pay_now(cx, &shop, &owner, (money, order))?;
    code::remove(cx.db(), hash)?;
    Ok(Answer::Payment(paid))
}

#[cfg(test)]
mod tests {
    use super::LASTS;
    use crate::answer::{Refused, State};
    use crate::command::{Command, Verb};
    use crate::id::Hash;
    use crate::testing::{Bench, krw};
    use bongsu_lane::Actor;

    #[test]
    fn a_code_is_charged_once_within_its_minute() {
        let bench = Bench::with_shop(&[("mina", 10_000)]);
        let charge = |n: u8, amount| {
            let (code, money, order) = (Hash([n; 32]), krw(amount), "A-1".to_owned());
            let charged = bench.shop(Verb::Charge { code, money, order });
            charged.map(|answer| Bench::payment(answer).state)
        };
        for n in [1, 2] {
            bench
                .verb("mina", Verb::ShowCode(Hash([n; 32])))
                .expect("shown");
        }
        assert_eq!(charge(3, 1_000), Err(Refused::NoSuchCode));
        assert_eq!(charge(1, 10_001), Err(Refused::InsufficientFunds));
        assert_eq!(charge(1, 1_000), Ok(State::Paid));
        assert_eq!(charge(1, 1_000), Err(Refused::NoSuchCode));
        bench.pass(LASTS);
        assert_eq!(charge(2, 1_000), Err(Refused::NoSuchCode));
        bench
            .ask(Actor::Platform, Command::Sweep { most: 9 })
            .expect("swept");
        let left = bench.look(|db| db.query_row("SELECT count(*) FROM code", (), |row| row.get(0)));
        assert_eq!((left, bench.pending()), (0, 970));
        bench.prove();
    }
}
