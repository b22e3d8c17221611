//! Which request each verb about money is.

use super::ask::escape;
use super::print::Columns;
use super::verbs::{act, doing, listing, showing};
use super::{Asked, Shown};
use crate::cli::{
    DisputeVerb, How, MerchantVerb, MoneyVerb, ReviewVerb, RuleVerb, Statement, WalletVerb,
    WebhookVerb,
};
use serde_json::json;

const MERCHANTS: Columns = &[
    "merchant", "name", "currency", "fee", "frozen", "pending", "payable",
];

const LINES: Columns = &[
    "time_ms", "what", "change", "balance", "held", "other", "note", "payment",
];

const RULES: Columns = &["rule", "currency", "at", "within_minutes"];

const REVIEWS: Columns = &[
    "id", "rule", "kind", "payer", "payee", "amount", "currency", "note",
];

const DISPUTES: Columns = &[
    "payment", "merchant", "payer", "amount", "currency", "state", "reason", "answer",
];

/// What is asked of money.
pub fn pay(verb: MoneyVerb) -> Asked {
    match verb {
        MoneyVerb::Merchant(verb) => merchant(verb),
        MoneyVerb::Wallet(verb) => wallet(verb),
        MoneyVerb::Limits(asked) => {
            let body = json!({
                "currency": asked.currency, "level": asked.level,
                "payment": asked.payment, "day": asked.day, "month": asked.month,
            });
            let done = Shown::Done("The limits are set.".to_owned());
            doing("/admin/v1/pay/limits".to_owned(), body, asked.how, done)
        }
        MoneyVerb::TopUpLimits(asked) => {
            let body = json!({
                "currency": asked.currency, "level": asked.level,
                "top_up": asked.top_up, "balance": asked.balance,
            });
            let done = Shown::Done("The limits are set.".to_owned());
            doing(
                "/admin/v1/pay/top-up-limits".to_owned(),
                body,
                asked.how,
                done,
            )
        }
        MoneyVerb::Dispute(verb) => dispute(verb),
        MoneyVerb::Rule(verb) => rule(verb),
        MoneyVerb::Review(verb) => review(verb),
        MoneyVerb::BankSaid(asked) => {
            let body = json!({
                "payment": asked.payment, "settlement": asked.settlement,
                "reference": asked.reference, "refused": asked.refused,
            });
            let how = How {
                reason: None,
                json: asked.how.json,
                place: asked.how.place,
            };
            let done = Shown::Done("It is written down.".to_owned());
            doing("/admin/v1/pay/bank-said".to_owned(), body, how, done)
        }
        MoneyVerb::Statement(asked) => statement(asked),
        MoneyVerb::Proof(how) => Asked {
            body: None,
            path: "/admin/v1/pay/proof".to_owned(),
            shown: Shown::Fields,
            json: how.json,
            place: how.place,
        },
    }
}

/// A file as it comes, or a table of the pages.
fn statement(asked: Statement) -> Asked {
    let format = if asked.csv { "csv" } else { "camt" };
    let file = asked.csv || asked.camt;
    let mut path = format!(
        "/admin/v1/pay/statement?account={}&currency={}",
        escape(&asked.account),
        escape(&asked.currency)
    );
    for (name, at) in [("from_ms", asked.from), ("to_ms", asked.to)] {
        path += &at.map(|at| format!("&{name}={at}")).unwrap_or_default();
    }
    if !file {
        return listing(path, LINES, asked.how);
    }
    Asked {
        body: None,
        path: format!("{path}&format={format}"),
        shown: Shown::File,
        json: false,
        place: asked.how.place,
    }
}

fn rule(verb: RuleVerb) -> Asked {
    match verb {
        RuleVerb::List(how) => listing("/admin/v1/pay/rules".to_owned(), RULES, how),
        RuleVerb::Set(asked) => {
            let body = json!({
                "rule": asked.rule, "currency": asked.currency, "at": asked.at,
                "within_minutes": asked.within_minutes,
            });
            let done = Shown::Done("The rule is in force.".to_owned());
            doing("/admin/v1/pay/rules".to_owned(), body, asked.how, done)
        }
        RuleVerb::Remove(asked) => {
            let body = json!({ "rule": asked.rule, "currency": asked.currency });
            let done = Shown::Done("The rule is in force no longer.".to_owned());
            doing(
                "/admin/v1/pay/rules/remove".to_owned(),
                body,
                asked.how,
                done,
            )
        }
    }
}

fn review(verb: ReviewVerb) -> Asked {
    match verb {
        ReviewVerb::List(how) => listing("/admin/v1/pay/reviews".to_owned(), REVIEWS, how),
        ReviewVerb::Release(target) => act("pay/reviews", target, "release", "goes on."),
        ReviewVerb::Refuse(target) => act("pay/reviews", target, "refuse", "is refused."),
    }
}

fn dispute(verb: DisputeVerb) -> Asked {
    match verb {
        DisputeVerb::List(how) => listing("/admin/v1/pay/disputes".to_owned(), DISPUTES, how),
        DisputeVerb::Refund(target) => act("pay/disputes", target, "refund", "is refunded."),
        DisputeVerb::Reject(target) => act("pay/disputes", target, "reject", "stays paid."),
    }
}

fn merchant(verb: MerchantVerb) -> Asked {
    match verb {
        MerchantVerb::Add(asked) => {
            let body = json!({
                "merchant": asked.id, "name": asked.name, "bank_account": asked.bank_account,
                "city": asked.city, "category": asked.category, "currency": asked.currency,
                "fee": asked.fee,
            });
            let words = "The merchant is added; its key is shown this once.".to_owned();
            let path = "/admin/v1/pay/merchants".to_owned();
            doing(path, body, asked.how, Shown::Done(words))
        }
        MerchantVerb::List(how) => listing("/admin/v1/pay/merchants".to_owned(), MERCHANTS, how),
        MerchantVerb::Show(asked) => showing("pay/merchants", &asked.id, asked.how),
        MerchantVerb::Rotate(asked) => {
            let path = format!("/admin/v1/pay/merchants/{}/rotate", escape(&asked.id));
            let body = json!({ "overlap_seconds": asked.overlap_seconds });
            let words = "It has a new key, shown this once.".to_owned();
            doing(path, body, asked.how, Shown::Done(words))
        }
        MerchantVerb::Freeze(target) => act("pay/merchants", target, "freeze", "is frozen."),
        MerchantVerb::Unfreeze(target) => {
            act("pay/merchants", target, "unfreeze", "is frozen no longer.")
        }
        MerchantVerb::Settle(target) => act("pay/merchants", target, "settle", "is being paid."),
        MerchantVerb::Webhook(verb) => webhook(verb),
    }
}

fn webhook(verb: WebhookVerb) -> Asked {
    let path = |id: &str, verb: &str| {
        let id = escape(id);
        format!("/admin/v1/pay/merchants/{id}/webhook{verb}")
    };
    let once = || Shown::Done("It is told what happens; the secret is shown this once.".to_owned());
    match verb {
        WebhookVerb::Set(asked) => {
            let body = json!({ "url": asked.url });
            doing(path(&asked.id, ""), body, asked.how, once())
        }
        WebhookVerb::Rotate(asked) => {
            doing(path(&asked.id, "/rotate"), json!({}), asked.how, once())
        }
        WebhookVerb::Remove(asked) => {
            let words = format!("{} is told nothing any more.", asked.id);
            let path = path(&asked.id, "/remove");
            doing(path, json!({}), asked.how, Shown::Done(words))
        }
    }
}

fn wallet(verb: WalletVerb) -> Asked {
    match verb {
        WalletVerb::Show(asked) => showing("pay/wallets", &asked.id, asked.how),
        WalletVerb::Freeze(target) => act("pay/wallets", target, "freeze", "is frozen."),
        WalletVerb::Unfreeze(target) => {
            act("pay/wallets", target, "unfreeze", "is frozen no longer.")
        }
        WalletVerb::Level(asked) => {
            let path = format!("/admin/v1/pay/wallets/{}/level", escape(&asked.id));
            let words = format!("{} is of level {}.", asked.id, asked.level);
            let body = json!({ "level": asked.level });
            doing(path, body, asked.how, Shown::Done(words))
        }
    }
}
