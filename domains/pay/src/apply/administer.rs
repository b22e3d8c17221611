//! What operators do. Each act is written into the audit log.

use super::bank::move_settlement;
use super::money::available;
use super::{Cx, Ruled, Verdict, dispute as disputes, reject, review as reviews, webhook};
use crate::answer::{Merchant, Refused};
use crate::command::{Accepted, Act, Administer, Limits, NewMerchant, Ordered, Rejected};
use crate::effect::Effect;
use crate::id::MerchantId;
use crate::limits;
use crate::state::merchant::{self, Settlement};
use crate::state::wallet::{self, Purse};
use crate::state::{dispute, review, top_up};
use bongsu_base::UserId;
use bongsu_ledger::{Amount, Money};

pub(super) fn apply(cx: &mut Cx<'_>, command: &Administer) -> Verdict {
    let Some(operator) = cx.actor().operator() else {
        return Err(reject(Rejected::NotAllowed));
    };
    act(cx, &command.act)?;
    let (verb, target) = named(&command.act);
    let line = bongsu_audit::Act {
        who: command.by.as_ref().map_or(&operator, |by| by.as_str()),
        act: verb,
        target: &target,
        reason: command.reason.as_deref(),
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &line)?;
    Ok(Accepted::Done)
}

fn act(cx: &mut Cx<'_>, act: &Act) -> Ruled<()> {
    match act {
        Act::AddMerchant(new) => add(cx, new)?,
        Act::Rotate {
            merchant,
            key,
            until,
        } => {
            known(cx, merchant)?;
            merchant::end_keys(cx.db(), merchant, *until)?;
            merchant::add_key(cx.db(), merchant, *key)?;
        }
        Act::FreezeMerchant { merchant, frozen } => {
            known(cx, merchant)?;
            merchant::freeze(cx.db(), merchant, *frozen)?;
        }
        Act::FreezeWallet { owner, frozen } => {
            each_wallet(cx, owner, |purse| purse.frozen = *frozen)?;
        }
        Act::SetLevel { owner, level } => {
            in_range(*level <= limits::HIGHEST)?;
            each_wallet(cx, owner, |purse| purse.level = *level)?;
        }
        Act::SetLimits {
            currency,
            level,
            limits,
        } => {
            let Limits {
                payment,
                day,
                month,
            } = *limits;
            let sound = [payment, day, month].iter().all(|limit| *limit >= 0);
            in_range(sound && *level <= limits::HIGHEST)?;
            wallet::set_limits(cx.db(), (*currency, *level), limits)?;
        }
        Act::SetTopUpLimits {
            currency,
            level,
            limits,
        } => {
            in_range(limits.top_up.min(limits.balance) >= 0 && *level <= limits::HIGHEST)?;
            top_up::set_limits(cx.db(), (*currency, *level), limits)?;
        }
        Act::Settle(id) => settle(cx, id)?,
        Act::SetWebhook {
            merchant,
            url,
            salt,
        } => {
            known(cx, merchant)?;
            webhook::set(cx, merchant.as_str(), url.as_deref(), *salt)?;
        }
        Act::RemoveWebhook(merchant) => {
            known(cx, merchant)?;
            webhook::remove(cx, merchant.as_str())?;
        }
        Act::Decide { payment, refund } => disputes::decide(cx, *payment, *refund)?,
        Act::SetRule { currency, rule } => {
            in_range(rule.is_sound())?;
            review::set(cx.db(), *currency, *rule)?;
        }
        Act::RemoveRule { currency, kind } => {
            if !review::unset(cx.db(), *currency, *kind)? {
                return Err(Refused::NoSuchRule.into());
            }
        }
        Act::Review { payment, release } => reviews::decide(cx, *payment, *release)?,
    }
    Ok(())
}

fn in_range(sound: bool) -> Ruled<()> {
    if sound {
        Ok(())
    } else {
        Err(Refused::OutOfRange.into())
    }
}

fn known(cx: &Cx<'_>, id: &MerchantId) -> Ruled<Merchant> {
    let found = merchant::find(cx.db(), id.as_str())?;
    Ok(found.ok_or(Refused::NoSuchMerchant)?)
}

fn add(cx: &mut Cx<'_>, new: &NewMerchant) -> Ruled<()> {
    in_range(new.fee <= 10_000 && new.category <= 9_999)?;
    if merchant::find(cx.db(), new.id.as_str())?.is_some() {
        return Err(Refused::MerchantExists.into());
    }
    merchant::add(cx.db(), cx.time(), new)?;
    Ok(())
}

fn each_wallet(cx: &Cx<'_>, owner: &UserId, change: impl Fn(&mut Purse)) -> Ruled<()> {
    let wallets = wallet::of(cx.db(), owner.as_str())?;
    if wallets.is_empty() {
        return Err(Refused::NoWallet.into());
    }
    for mut purse in wallets {
        change(&mut purse);
        purse.write(cx.db())?;
    }
    Ok(())
}

fn settle(cx: &mut Cx<'_>, id: &MerchantId) -> Ruled<()> {
    let shop = known(cx, id)?;
    if shop.frozen {
        return Err(Refused::MerchantFrozen.into());
    }
    let withheld = dispute::withheld(cx.db(), id.as_str())?;
    let earned = (available(cx, shop.pending)? - withheld).max(0);
    let amount = Amount::new(earned).map_err(|_| Refused::NothingToSettle)?;
    let n = merchant::settle(cx.db(), cx.time(), &shop, earned)?;
    let begun = Settlement {
        n,
        merchant: shop.id.to_string(),
        amount: earned,
        currency: shop.currency.to_string(),
        state: 1,
        made: cx.time(),
    };
    move_settlement(cx, &begun, "begun", (shop.pending, shop.payable))?;
    cx.effect(&Effect::Bank {
        order: Ordered::Settlement(n),
        collect: false,
        account: shop.bank,
        money: Money {
            amount,
            currency: shop.currency,
        },
    })?;
    Ok(())
}

fn named(act: &Act) -> (&'static str, String) {
    match act {
        Act::AddMerchant(new) => ("merchant.add", new.id.to_string()),
        Act::Rotate { merchant, .. } => ("merchant.rotate", merchant.to_string()),
        Act::FreezeMerchant {
            merchant,
            frozen: true,
        } => ("merchant.freeze", merchant.to_string()),
        Act::FreezeMerchant { merchant, .. } => ("merchant.unfreeze", merchant.to_string()),
        Act::FreezeWallet {
            owner,
            frozen: true,
        } => ("wallet.freeze", owner.to_string()),
        Act::FreezeWallet { owner, .. } => ("wallet.unfreeze", owner.to_string()),
        Act::SetLevel { owner, level } => ("wallet.level", format!("{owner} {level}")),
        Act::SetLimits {
            currency,
            level,
            limits,
        } => {
            let Limits {
                payment,
                day,
                month,
            } = limits;
            (
                "limits.set",
                format!("{currency} {level}: {payment}, {day}, {month}"),
            )
        }
        Act::SetTopUpLimits {
            currency,
            level,
            limits,
        } => (
            "limits.set",
            format!(
                "{currency} {level}: top-up {}, balance {}",
                limits.top_up, limits.balance
            ),
        ),
        Act::Settle(merchant) => ("merchant.settle", merchant.to_string()),
        Act::SetWebhook {
            merchant,
            url: Some(url),
            ..
        } => ("merchant.webhook.set", format!("{merchant} {url}")),
        Act::SetWebhook { merchant, .. } => ("merchant.webhook.rotate", merchant.to_string()),
        Act::RemoveWebhook(merchant) => ("merchant.webhook.remove", merchant.to_string()),
        Act::Decide {
            payment,
            refund: true,
        } => ("dispute.refund", payment.to_string()),
        Act::Decide { payment, .. } => ("dispute.reject", payment.to_string()),
        Act::SetRule { currency, rule } => ("rule.set", format!("{currency} {rule:?}")),
        Act::RemoveRule { currency, kind } => {
            ("rule.remove", format!("{currency} {}", kind.name()))
        }
        Act::Review {
            payment,
            release: true,
        } => ("review.release", payment.to_string()),
        Act::Review { payment, .. } => ("review.refuse", payment.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Verb};
    use crate::id::Hash;
    use crate::testing::{Bench, as_user, by_shop, krw, user};
    use bongsu_base::Millis;

    #[test]
    fn only_operators_administer_and_each_act_is_noted() {
        let bench = Bench::with_shop(&[("mina", 0)]);
        let command = Administer {
            by: None,
            reason: None,
            act: Act::SetLevel {
                owner: user("mina"),
                level: 3,
            },
        };
        let refused = bench.ask(as_user("mina"), Command::Administer(command));
        assert_eq!(refused, Err(Rejected::NotAllowed));
        let level = |level| {
            bench.try_administer(Act::SetLevel {
                owner: user("mina"),
                level,
            })
        };
        assert_eq!(level(4), Err(Rejected::Refused(Refused::OutOfRange)));
        assert_eq!(level(3), Ok(Accepted::Done));
        let lines = bench.look(|db| bongsu_audit::page(db, i64::MAX, 9));
        let told: Vec<_> = lines.iter().map(|line| &*line.act).collect();
        assert_eq!(told, ["wallet.level", "merchant.add"]);
    }

    #[test]
    fn a_replaced_key_is_taken_for_as_long_as_was_said() {
        let bench = Bench::with_shop(&[]);
        let until = bench.now() + Millis::hours(1);
        let merchant = "shop".parse().expect("an id");
        bench.administer(Act::Rotate {
            merchant,
            key: Hash::of_secret("new"),
            until,
        });
        let ready = || Verb::Ready {
            money: krw(1),
            order: String::new(),
            payer: None,
        };
        assert!(bench.ask_by(by_shop(), "k1", ready()).is_ok());
        bench.pass(Millis::hours(1));
        assert_eq!(
            bench.ask_by(by_shop(), "k2", ready()),
            Err(Rejected::UnknownKey)
        );
    }
}
