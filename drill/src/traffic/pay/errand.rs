//! What one person begins, and perhaps others go on with: to pay somebody, to split a bill, to subscribe, to disagree. Each
//! request has a key, and what it was answered is remembered.

use super::things::{BILLS, DISPUTES, PAYMENTS, SUBSCRIPTIONS, Thing};
use super::town::{Became, CURRENCIES, Paid, Town, fingerprint, insist};
use super::{PROTOCOL, Payments, SUSPICIOUS};
use crate::client::{Ask, Client, Undone};
use crate::ground::Stage;
use fastrand::Rng;
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// What somebody is about to do.
pub struct Errand<'a> {
    pub all: &'a Payments,
    pub stage: &'a Stage,
    pub town: &'a Town,
    pub client: &'a mut Client,
    /// What its requests' keys begin with, and what its things are called.
    pub key: String,
    /// Who begins it.
    pub mine: usize,
    pub amount: i64,
}

/// A purchase that was paid.
struct Bought {
    id: String,
    merchant: usize,
    /// What was prepared with it.
    subscription: Option<String>,
}

impl Errand<'_> {
    /// Asks as whoever has `token`, under the errand's key and `suffix`.
    async fn ask(&mut self, token: &str, (path, suffix): (&str, &str), body: &Value) -> Became {
        token.clone_into(&mut self.client.token);
        let key = format!("{}{suffix}", self.key);
        let became = insist(self.client, self.stage, (path, &key), body).await;
        if let Became::Done(answer) = &became {
            self.all.paid.add(Paid {
                token: token.to_owned(),
                answer: fingerprint(answer),
                key,
            });
        }
        became
    }

    /// The same as the person of number `who`.
    async fn ask_as(&mut self, who: usize, at: (&str, &str), body: &Value) -> Became {
        let token = &self.town.payers[who].token;
        self.ask(token, at, body).await
    }

    fn moved(&self, who: usize, became: &Became, amount: i64) {
        let has = &mut self.all.town.lock().payers[who].has;
        match became {
            Became::Done(_) => *has = has.map(|has| has + amount),
            Became::Never => {}
            Became::Unknown => *has = None,
        }
    }

    fn currency(&self) -> &'static str {
        CURRENCIES[self.town.payers[self.mine].currency]
    }

    fn told(&self, merchant: usize, kind: &str, of: &str) {
        self.all.hooks.want(merchant, kind, of);
    }

    /// Has the bank bring money, or take it.
    pub async fn at_bank(&mut self, into: bool) {
        let body = json!({ "amount": self.amount, "currency": self.currency() });
        let (path, amount) = match into {
            true => ("/pay/v1/topups", self.amount),
            false => ("/pay/v1/withdrawals", -self.amount),
        };
        let became = self.ask_as(self.mine, (path, ""), &body).await;
        self.moved(self.mine, &became, amount);
        if let Some(id) = became.done().and_then(|asked| asked["id"].as_str()) {
            let asked = (self.client.token.clone(), id.to_owned());
            self.all.at_bank.lock().push(asked);
        }
    }

    /// Pays somebody.
    pub async fn transfer(&mut self, to: usize) {
        let to_user = &self.town.payers[to].user;
        let body = json!({ "to": to_user, "amount": self.amount, "currency": self.currency() });
        let at = ("/pay/v1/transfers", "");
        let became = self.ask_as(self.mine, at, &body).await;
        self.moved(self.mine, &became, -self.amount);
        self.moved(to, &became, self.amount);
    }

    /// Pays somebody so much that an operator looks at it first, who lets it go on or does not.
    pub async fn suspicious(&mut self, to: usize, release: bool) {
        self.amount += SUSPICIOUS;
        let to_user = &self.town.payers[to].user;
        let body = json!({ "to": to_user, "amount": self.amount, "currency": self.currency() });
        let became = self
            .ask_as(self.mine, ("/pay/v1/transfers", ""), &body)
            .await;
        // What is only held is still in the wallet.
        let Some(held) = became.done() else {
            return;
        };
        let id = held["id"].as_str().unwrap_or_default();
        if held["state"] != "review" {
            let what = "a rule was not followed";
            let recorder = &self.stage.recorder;
            recorder.error(PROTOCOL, self.client.site, what);
        }
        let verb = if release { "release" } else { "refuse" };
        let path = format!("/admin/v1/pay/reviews/{id}/{verb}");
        let decided = self.decide(&path, StatusCode::NOT_FOUND).await;
        let amount = if release { self.amount } else { 0 };
        self.moved(self.mine, &decided, -amount);
        self.moved(to, &decided, amount);
        if decided.done().is_some() {
            let state = if release { "paid" } else { "declined" };
            self.keep(self.mine, PAYMENTS, (id, state.to_owned()));
        }
    }

    /// Asks `people` for money, of whom each pays or declines; or thinks better of it.
    pub async fn bill(&mut self, people: &[usize], rng: &mut Rng) {
        let users: Vec<&String> = people
            .iter()
            .map(|who| &self.town.payers[*who].user)
            .collect();
        let body = json!({
            "note": self.key, "currency": self.currency(), "people": users,
            "total": self.amount.max(2),
        });
        let made = self.ask_as(self.mine, ("/pay/v1/bills", ""), &body).await;
        let Some(made) = made.done() else {
            return;
        };
        let id = made["id"].as_str().unwrap_or_default();
        let cancels = rng.u8(0..6) == 0;
        let mut shares = Vec::new();
        for (n, who) in people.iter().enumerate() {
            let share = made["shares"][n]["amount"].as_i64().unwrap_or_default();
            if cancels && n + 1 == people.len() {
                shares.push("open");
                continue;
            }
            let pays = rng.u8(0..4) > 0;
            let verb = if pays { "pay" } else { "decline" };
            let path = format!("/pay/v1/bills/{id}/{verb}");
            let at = (&*path, &*format!("-{n}"));
            let answered = self.ask_as(*who, at, &json!({})).await;
            if pays {
                self.moved(*who, &answered, -share);
                self.moved(self.mine, &answered, share);
            }
            if answered.done().is_none() {
                return;
            }
            shares.push(if pays { "paid" } else { "declined" });
        }
        let state = if cancels {
            let path = format!("/pay/v1/bills/{id}/cancel");
            let canceled = self.ask_as(self.mine, (&path, "-no"), &json!({})).await;
            if canceled.done().is_none() {
                return;
            }
            "canceled"
        } else {
            "done"
        };
        let state = format!("{state} {}", shares.join(" "));
        self.keep(self.mine, BILLS, (&self.key, state));
    }

    /// A merchant prepares a payment, the person lets it be, the merchant takes it.
    async fn buy(&mut self, merchant: usize, more: Option<(&str, Value)>) -> Option<Bought> {
        let shop = &self.town.merchants[merchant].key;
        let mut order = json!({
            "amount": self.amount, "currency": self.currency(), "order": self.key,
        });
        if let Some((name, more)) = more {
            order[name] = more;
        }
        let at = ("/pay/v1/merchant/ready", "");
        let ready = self.ask(shop, at, &order).await;
        let ready = ready.done()?;
        let id = ready["id"].as_str().unwrap_or_default().to_owned();
        let approve = format!("/pay/v1/approvals/{id}/approve");
        let held = self.ask_as(self.mine, (&approve, ""), &json!({})).await;
        held.done()?;
        self.told(merchant, "payment.approved", &id);
        let subscription = ready["subscription"]["id"].as_str().map(str::to_owned);
        if let Some(subscription) = &subscription {
            self.told(merchant, "subscription.consented", subscription);
        }
        let at = ("/pay/v1/merchant/approve", "-take");
        let taken = self.ask(shop, at, &json!({ "id": id })).await;
        self.moved(self.mine, &taken, -self.amount);
        taken.done()?;
        self.told(merchant, "payment.paid", &id);
        Some(Bought {
            id,
            merchant,
            subscription,
        })
    }

    /// Buys something, of which some may be given back.
    pub async fn purchase(&mut self, merchant: usize, back: bool) {
        let Some(bought) = self.buy(merchant, None).await.filter(|_| back) else {
            return;
        };
        let some = 1 + self.amount / 3;
        let body = json!({ "id": bought.id, "amount": some });
        let shop = &self.town.merchants[merchant].key;
        let at = ("/pay/v1/merchant/cancel", "-back");
        let given = self.ask(shop, at, &body).await;
        self.moved(self.mine, &given, some);
        if given.done().is_some() {
            let kind = match some == self.amount {
                true => "payment.canceled",
                false => "payment.partially_canceled",
            };
            self.told(merchant, kind, &bought.id);
        }
    }

    /// Lets a merchant charge again and again; then one of them ends that, or nobody does yet.
    pub async fn subscribe(&mut self, merchant: usize, ends: u8) {
        let recurring = json!({
            "max_amount": self.amount, "period": "day", "until_ms": self.town.until_ms,
        });
        let bought = self.buy(merchant, Some(("recurring", recurring))).await;
        let Some(id) = bought.and_then(|bought| bought.subscription) else {
            return;
        };
        let ended = match ends {
            0 => {
                let path = format!("/pay/v1/subscriptions/{id}/revoke");
                let ended = self.ask_as(self.mine, (&path, "-end"), &json!({})).await;
                Some((ended, "revoked"))
            }
            1 => {
                let path = format!("/pay/v1/merchant/subscriptions/{id}/end");
                let shop = &self.town.merchants[merchant].key;
                let ended = self.ask(shop, (&path, "-end"), &json!({})).await;
                Some((ended, "ended"))
            }
            _ => None,
        };
        let state = match &ended {
            None => "active",
            Some((Became::Done(_), state)) => {
                self.told(merchant, &format!("subscription.{state}"), &id);
                state
            }
            Some(_) => return,
        };
        self.keep(self.mine, SUBSCRIPTIONS, (&self.key, state.to_owned()));
    }

    /// Buys something and disagrees; the merchant may answer, and an operator decides.
    pub async fn dispute(&mut self, merchant: usize, (answers, refund): (bool, bool)) {
        let Some(bought) = self.buy(merchant, None).await else {
            return;
        };
        let id = &bought.id;
        let path = format!("/pay/v1/payments/{id}/dispute");
        let reason = json!({ "reason": self.key });
        let opened = self.ask_as(self.mine, (&path, "-no"), &reason).await;
        if opened.done().is_none() {
            return;
        }
        self.told(merchant, "dispute.opened", id);
        let answer = if answers { "it was delivered" } else { "" };
        if answers {
            let path = format!("/pay/v1/merchant/disputes/{id}/answer");
            let shop = &self.town.merchants[bought.merchant].key;
            let body = json!({ "answer": answer });
            let answered = self.ask(shop, (&path, "-yes"), &body).await;
            if answered.done().is_none() {
                return;
            }
            self.told(merchant, "dispute.answered", id);
        }
        let verb = if refund { "refund" } else { "reject" };
        let path = format!("/admin/v1/pay/disputes/{id}/{verb}");
        let decided = self.decide(&path, StatusCode::CONFLICT).await;
        let given = if refund { self.amount } else { 0 };
        self.moved(self.mine, &decided, given);
        if decided.done().is_none() {
            return;
        }
        let state = if refund { "refunded" } else { "rejected" };
        self.told(merchant, &format!("dispute.{state}"), id);
        if refund {
            self.told(merchant, "payment.canceled", id);
        }
        let state = format!("{state} {answer}");
        self.keep(self.mine, DISPUTES, (&self.key, state));
    }

    /// Has an operator decide, who has no key: it is repeated until it is done, or `done` says that it was.
    async fn decide(&mut self, path: &str, done: StatusCode) -> Became {
        let operator = &self.stage.ground.operator;
        self.client.token.clone_from(operator);
        let body = json!({ "reason": self.key });
        let ask = Ask::json(Method::POST, path, &body).unless_done(done);
        match self.client.insist(self.stage, PROTOCOL, &ask).await {
            Ok(_) => Became::Done(Value::Null),
            Err(Undone::Refused(status, _)) if status == done => Became::Done(Value::Null),
            Err(Undone::Refused(..)) => Became::Never,
            Err(Undone::GivenUp) => Became::Unknown,
        }
    }

    /// Something is in `state` from now on, and one of it alone is called `name`.
    fn keep(
        &self,
        whose: usize,
        list: &'static super::things::List,
        (name, state): (&str, String),
    ) {
        self.all.things.add(Thing {
            token: self.town.payers[whose].token.clone(),
            list,
            name: name.to_owned(),
            state,
        });
    }
}
