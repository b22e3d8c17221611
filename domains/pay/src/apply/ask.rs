//! Requests under keys.

use super::{
    Cx, Ruled, Stop, Verdict, bank, bill, code, dispute, link, purchase, reject, subscription,
    transfer, wallet, webhook,
};
use crate::answer::{Answer, Kept, Refused};
use crate::command::{Accepted, Ask, Asker, Rejected, Verb};
use crate::id::Hash;
use crate::state::{key, merchant};
use bongsu_lane::{Actor, Refusal};

/// Who asks, for whom the rules hold.
pub(super) enum Caller {
    /// A person.
    Person(String),
    /// A merchant.
    Merchant(String),
}

impl Caller {
    /// Under which name keys are kept. A user id has its sigil, which a merchant's id has not.
    fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Merchant(name) => name,
        }
    }
}

/// Whoever asks, if they are who they say.
fn caller(cx: &Cx<'_>, by: &Asker) -> Result<Caller, Refusal<Rejected>> {
    match (by, cx.actor()) {
        (Asker::Person, Actor::User { user, .. }) => Ok(Caller::Person(user.as_str().to_owned())),
        (Asker::Person, _) => Err(reject(Rejected::NotAllowed)),
        (Asker::Merchant { id, with }, _) => match merchant::holder(cx.db(), *with)? {
            Some((holder, until))
                if holder == id.as_str() && until.is_none_or(|until| cx.time() < until) =>
            {
                Ok(Caller::Merchant(holder))
            }
            _ => Err(reject(Rejected::UnknownKey)),
        },
    }
}

pub(super) fn apply(cx: &mut Cx<'_>, ask: &Ask) -> Verdict {
    let caller = caller(cx, &ask.by)?;
    if let Some((print, answer)) = key::find(cx.db(), caller.name(), &ask.key)? {
        return Ok(Accepted::Answered { print, answer });
    }
    let answer = match act(cx, &caller, &ask.verb) {
        Ok(answer) => Kept::Done(answer),
        Err(Stop::Refused(refused)) => Kept::Refused(refused),
        Err(stop @ (Stop::Undone(_) | Stop::Storage(_))) => return Err(stop.into()),
    };
    let print = ask.verb.print();
    key::keep(cx.db(), (caller.name(), &ask.key), (print, &answer))?;
    Ok(Accepted::Answered { print, answer })
}

pub(super) fn close(cx: &mut Cx<'_>, by: &Asker, name: &str) -> Verdict {
    let caller = caller(cx, by)?;
    if let Some((print, answer)) = key::find(cx.db(), caller.name(), name)? {
        return Ok(Accepted::Answered { print, answer });
    }
    let (print, answer) = (Hash([0; 32]), Kept::Never);
    key::keep(cx.db(), (caller.name(), name), (print, &answer))?;
    Ok(Accepted::Answered { print, answer })
}

fn act(cx: &mut Cx<'_>, caller: &Caller, verb: &Verb) -> Ruled<Answer> {
    match caller {
        Caller::Person(user) => by_person(cx, user, verb),
        Caller::Merchant(id) => by_merchant(cx, id, verb),
    }
}

fn by_person(cx: &mut Cx<'_>, user: &str, verb: &Verb) -> Ruled<Answer> {
    match verb {
        Verb::OpenWallet(currency) => wallet::open(cx, user, *currency),
        Verb::LinkBank(account) => wallet::link_bank(cx, user, account),
        Verb::TopUp(money) => bank::top_up(cx, user, money),
        Verb::TopUpWithin(money) => bank::top_up_within(cx, user, money),
        Verb::Withdraw(money) => bank::withdraw(cx, user, money),
        Verb::Transfer { to, money, note } => transfer::apply(cx, user, to.as_str(), (money, note)),
        Verb::MakeLink { code, money, note } => link::make(cx, user, *code, (money, note)),
        Verb::ClaimLink(code) => link::claim(cx, user, *code),
        Verb::CancelLink(code) => link::cancel(cx, user, *code),
        Verb::Accept(id) => purchase::accept(cx, user, *id),
        Verb::Decline(id) => purchase::decline(cx, user, *id),
        Verb::ShowCode(hash) => code::show(cx, user, *hash),
        Verb::MakeBill(new) => bill::make(cx, user, new),
        Verb::PayShare(id) => bill::pay(cx, user, *id),
        Verb::DeclineShare(id) => bill::decline(cx, user, *id),
        Verb::CancelBill(id) => bill::cancel(cx, user, *id),
        Verb::Revoke(id) => subscription::revoke(cx, user, *id),
        Verb::Dispute { payment, reason } => dispute::open(cx, user, *payment, reason),
        Verb::PayMerchant {
            merchant,
            money,
            note,
        } => purchase::pay(cx, user, merchant, (money, note)),
        Verb::TransferIn {
            room,
            to,
            money,
            note,
        } => transfer::shown(cx, user, (to, room), (money, note)),
        _ => Err(Refused::NotForYou.into()),
    }
}

fn by_merchant(cx: &mut Cx<'_>, shop: &str, verb: &Verb) -> Ruled<Answer> {
    match verb {
        Verb::Ready {
            money,
            order,
            payer,
        } => purchase::ready(cx, shop, (money, order), payer.as_ref()),
        Verb::Capture(id) => purchase::capture(cx, shop, *id),
        Verb::Cancel { payment, amount } => purchase::cancel(cx, shop, *payment, *amount),
        Verb::Charge { code, money, order } => code::charge(cx, shop, *code, (money, order)),
        Verb::SetWebhook { url, key } => {
            let salt = webhook::salt(cx, *key);
            webhook::set(cx, shop, Some(url), salt)
        }
        Verb::RotateWebhook { key } => webhook::set(cx, shop, None, webhook::salt(cx, *key)),
        Verb::RemoveWebhook => webhook::remove(cx, shop),
        Verb::TellAgain(id) => webhook::again(cx, shop, *id),
        Verb::ReadyRecurring(new) => subscription::ready(cx, shop, new),
        Verb::ChargeSubscription { id, money, order } => {
            subscription::charge(cx, shop, *id, (money, order))
        }
        Verb::EndSubscription(id) => subscription::stop(cx, shop, *id),
        Verb::AnswerDispute { payment, answer } => dispute::answer(cx, shop, *payment, answer),
        _ => Err(Refused::NotForYou.into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::answer::{Kept, Refused};
    use crate::command::{Accepted, Asker, Command, Rejected, Verb};
    use crate::id::Hash;
    use crate::testing::{Bench, as_user, by_shop, krw, user};

    fn pay(to: &str, amount: i64) -> Verb {
        Verb::Transfer {
            to: user(to),
            money: krw(amount),
            note: String::new(),
        }
    }

    #[test]
    fn a_key_has_one_answer_for_ever() {
        let bench = Bench::with_wallets(&[("mina", 1_000), ("juno", 0)]);
        let first = bench.keyed("mina", "k1", pay("juno", 300));
        assert!(matches!(
            &first,
            Accepted::Answered {
                answer: Kept::Done(_),
                ..
            }
        ));
        assert_eq!(bench.keyed("mina", "k1", pay("juno", 300)), first);
        // The gateway tells by the print that this is not what was asked.
        assert_eq!(bench.keyed("mina", "k1", pay("juno", 400)), first);
        assert_eq!(bench.balances(&["mina", "juno"]), [700, 300]);
        let refused = bench.keyed("mina", "k2", pay("juno", 800));
        let why = |answer: &Accepted| match answer {
            Accepted::Answered {
                answer: Kept::Refused(why),
                ..
            } => Some(*why),
            _ => None,
        };
        assert_eq!(why(&refused), Some(Refused::InsufficientFunds));
        bench.top_up("mina", 10_000);
        assert_eq!(bench.keyed("mina", "k2", pay("juno", 800)), refused);
        assert_eq!(bench.keyed("juno", "k1", pay("mina", 300)), {
            let again = bench.keyed("juno", "k1", pay("mina", 300));
            assert_ne!(again, first, "keys are each caller's own");
            again
        });
    }

    #[test]
    fn a_closed_key_never_gets_an_answer_and_a_used_one_keeps_its_own() {
        let bench = Bench::with_wallets(&[("mina", 1_000), ("juno", 0)]);
        let close = |key: &str| {
            let (by, key) = (Asker::Person, key.to_owned());
            bench.ask(as_user("mina"), Command::Close { by, key })
        };
        let never = Accepted::Answered {
            print: Hash([0; 32]),
            answer: Kept::Never,
        };
        assert_eq!(close("k1"), Ok(never.clone()));
        assert_eq!(bench.keyed("mina", "k1", pay("juno", 300)), never);
        let paid = bench.keyed("mina", "k2", pay("juno", 300));
        assert_eq!(close("k2"), Ok(paid));
        assert_eq!(bench.balances(&["mina", "juno"]), [700, 300]);
    }

    #[test]
    fn merchants_are_known_by_keys_that_are_good_and_do_not_act_as_people() {
        let bench = Bench::with_shop(&[]);
        let ask = |by, verb| bench.ask_by(by, "k1", verb);
        let strange = Asker::Merchant {
            id: "shop".parse().expect("an id"),
            with: Hash::of_secret("other"),
        };
        let wallet = || Verb::OpenWallet(krw(1).currency);
        assert_eq!(ask(strange, wallet()), Err(Rejected::UnknownKey));
        assert_eq!(ask(Asker::Person, wallet()), Err(Rejected::NotAllowed));
        let refused = ask(by_shop(), wallet()).expect("accepted");
        let kept = Kept::Refused(Refused::NotForYou);
        assert!(matches!(refused, Accepted::Answered { answer, .. } if answer == kept));
    }
}
