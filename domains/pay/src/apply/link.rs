//! Money for whoever knows a code.

use super::money::{begin, between, code, money, post, purse, spend, turn, uncount};
use super::{Cx, Ruled, review};
use crate::answer::{Answer, Kind, Payment, Refused, State};
use crate::id::Hash;
use crate::rule::Then;
use crate::state::{book, damaged, payment, wallet};
use bongsu_base::Millis;
use bongsu_ledger::{Instruction, Money};

/// How long a link holds what it holds.
pub(super) const LASTS: Millis = Millis::hours(72);

pub(super) fn make(
    cx: &mut Cx<'_>,
    owner: &str,
    hash: Hash,
    (money, note): (&Money, &str),
) -> Ruled<Answer> {
    let mut payer = purse(cx, owner, money)?;
    if payment::linked(cx.db(), hash)?.is_some() {
        return Err(Refused::LinkExists.into());
    }
    spend(cx, &mut payer, money)?;
    let mut held = begin(cx, (Kind::Link, State::Held), money);
    (held.payer, held.note) = (owner.into(), note.into());
    held.expires = Some(cx.time() + LASTS);
    let moved = between(payer.account, suspense(cx, money)?, *money);
    let hold = Instruction::hold(held.id.movement("hold", 0), moved, None);
    post(cx, vec![hold.with(code::LINK, held.id.0)])?;
    if let Some(rule) = review::wanted(cx, &held)? {
        review::begin(cx, &mut held, rule, Then::Link)?;
    }
    payer.write(cx.db())?;
    payment::insert(cx.db(), &held)?;
    payment::link(cx.db(), hash, held.id)?;
    Ok(Answer::Payment(held))
}

fn suspense(cx: &Cx<'_>, money: &Money) -> Ruled<bongsu_ledger::AccountId> {
    let found = book::find(cx.db(), money.currency)?;
    Ok(found.ok_or_else(|| damaged("currency"))?.suspense)
}

/// What a code opens, if it can still be opened.
fn held(cx: &Cx<'_>, hash: Hash) -> Ruled<Payment> {
    let id = payment::linked(cx.db(), hash)?.ok_or(Refused::NoSuchLink)?;
    let found = payment::find(cx.db(), id)?.ok_or_else(|| damaged("link"))?;
    Ok(found)
}

fn still_held(cx: &Cx<'_>, found: &Payment) -> Ruled<()> {
    if found.state != State::Held {
        return Err(Refused::WrongState.into());
    }
    if found.expires.is_some_and(|expires| expires <= cx.time()) {
        return Err(Refused::Expired.into());
    }
    Ok(())
}

pub(super) fn claim(cx: &mut Cx<'_>, owner: &str, hash: Hash) -> Ruled<Answer> {
    let mut found = held(cx, hash)?;
    let money = money(&found);
    if found.payer == owner {
        return Err(Refused::SamePerson.into());
    }
    still_held(cx, &found)?;
    let mine = purse(cx, owner, &money)?;
    let mine = if mine.frozen {
        Err(Refused::WalletFrozen)
    } else {
        Ok(mine)
    }?;
    if wallet::find(cx.db(), &found.payer, found.currency)?.is_some_and(|payer| payer.frozen) {
        return Err(Refused::PayeeFrozen.into());
    }
    let (hold, id) = (found.id.movement("hold", 0), found.id);
    let onwards = between(suspense(cx, &money)?, mine.account, money);
    post(
        cx,
        vec![
            Instruction::settle(id.movement("settle", 0), hold, None).with(code::LINK, id.0),
            Instruction::transfer(id.movement("claim", 0), onwards).with(code::LINK, id.0),
        ],
    )?;
    found.payee = owner.into();
    found.expires = None;
    turn(cx, found, State::Paid)
}

pub(super) fn cancel(cx: &mut Cx<'_>, owner: &str, hash: Hash) -> Ruled<Answer> {
    let found = held(cx, hash)?;
    if found.payer != owner {
        return Err(Refused::NoSuchLink.into());
    }
    still_held(cx, &found)?;
    give_free(cx, found, State::Canceled)
}

/// Ends a hold, of a link or a purchase, and moves nothing.
pub(super) fn give_free(cx: &Cx<'_>, mut found: Payment, state: State) -> Ruled<Answer> {
    let (hold, id) = (found.id.movement("hold", 0), found.id);
    post(cx, vec![Instruction::void(id.movement("void", 0), hold)])?;
    uncount(cx, &found)?;
    found.expires = None;
    turn(cx, found, state)
}

#[cfg(test)]
mod tests {
    use crate::answer::{Refused, State};
    use crate::command::{Command, Verb};
    use crate::id::Hash;
    use crate::testing::{Bench, krw};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn make(code: &str) -> Verb {
        Verb::MakeLink {
            code: Hash::of_secret(code),
            money: krw(400),
            note: "coffee".into(),
        }
    }

    #[test]
    fn a_link_pays_once_and_then_never() {
        let bench = Bench::with_wallets(&[("mina", 1_000), ("juno", 0), ("dain", 0)]);
        bench.verb("mina", make("a")).expect("held");
        assert_eq!(
            bench.verb("mina", make("a")).map(drop),
            Err(Refused::LinkExists)
        );
        let claim = |who: &str, code: &str| {
            let claimed = bench.verb(who, Verb::ClaimLink(Hash::of_secret(code)));
            claimed.map(|answer| Bench::payment(answer).state)
        };
        assert_eq!(claim("juno", "b"), Err(Refused::NoSuchLink));
        assert_eq!(claim("mina", "a"), Err(Refused::SamePerson));
        assert_eq!(claim("juno", "a"), Ok(State::Paid));
        assert_eq!(claim("dain", "a"), Err(Refused::WrongState));
        assert_eq!(bench.balances(&["mina", "juno", "dain"]), [600, 400, 0]);
        bench.prove();
    }

    #[test]
    fn a_link_is_called_off_by_who_made_it_or_by_time() {
        let bench = Bench::with_wallets(&[("mina", 1_000), ("juno", 0)]);
        for code in ["a", "b"] {
            bench.verb("mina", make(code)).expect("held");
        }
        let cancel = |who: &str| {
            bench
                .verb(who, Verb::CancelLink(Hash::of_secret("a")))
                .map(drop)
        };
        assert_eq!(cancel("juno"), Err(Refused::NoSuchLink));
        assert_eq!(cancel("mina"), Ok(()));
        assert_eq!(cancel("mina"), Err(Refused::WrongState));
        assert_eq!(bench.available("mina"), 600);
        bench.pass(super::LASTS);
        let late = bench.verb("juno", Verb::ClaimLink(Hash::of_secret("b")));
        assert_eq!(late.map(drop), Err(Refused::Expired));
        for _ in 0..2 {
            bench
                .ask(Actor::Platform, Command::Sweep { most: 9 })
                .expect("swept");
        }
        assert_eq!(bench.available("mina"), 1_000);
        bench.pass(Millis::hours(1));
        bench.prove();
    }
}
