//! From a request under a key to its answer, the same each time.

use super::Api;
use super::gate::{Anyone, Key, Payer, Shop};
use super::problem::Problem;
use super::wire::{AnswerBody, PaymentBody};
use crate::answer::{Answer, Kept, Kind, State};
use crate::command::{Accepted, Ask, Asker, Command, Verb};
use crate::id::Hash;
use crate::query;
use axum::Json;
use bongsu_base::RecordId;
use bongsu_lane::{Actor, Priority, Request};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use http::StatusCode;

/// What is answered.
pub type Said<T> = Result<Json<T>, Problem>;

/// Who asks under a key.
pub struct Who {
    /// As what their keys are kept: a user id or a merchant's.
    pub name: String,
    /// As whom the rules know them.
    by: Asker,
    actor: Actor,
}

impl Who {
    /// The id of the record in which they ask for `what` under `key`. A merchant's secret key is part of it: what was
    /// rejected with one that was replaced is asked anew with the next.
    fn record(&self, what: &str, key: &str) -> RecordId {
        let with = match &self.by {
            Asker::Person => String::new(),
            Asker::Merchant { with, .. } => HEXLOWER.encode(&with.0),
        };
        RecordId::named(&[what, &self.name, &with], key)
    }
}

impl From<Payer> for Who {
    fn from(payer: Payer) -> Self {
        Self {
            name: payer.user.to_string(),
            by: Asker::Person,
            actor: payer.actor,
        }
    }
}

impl From<Shop> for Who {
    fn from(shop: Shop) -> Self {
        Self {
            name: shop.id.to_string(),
            by: Asker::Merchant {
                id: shop.id,
                with: shop.with,
            },
            actor: Actor::Nobody,
        }
    }
}

impl From<Anyone> for Who {
    fn from(anyone: Anyone) -> Self {
        match anyone {
            Anyone::Person(payer) => payer.into(),
            Anyone::Shop(shop) => shop.into(),
        }
    }
}

impl Api {
    /// Does what is asked under a key, or gives the answer that the key has.
    pub(super) async fn ask(
        &self,
        who: impl Into<Who>,
        key: Key,
        verb: Verb,
    ) -> Result<Answer, Problem> {
        let (who, key) = (who.into(), key.0);
        let print = verb.print();
        let (first, kept) = match self.answered(&who.name, &key).await? {
            // It is for ever: no log has to be reached to say it again.
            Some(answered) => answered,
            None => {
                let id = who.record("pay", &key);
                let by = who.by;
                let command = Command::Ask(Ask { by, key, verb });
                self.submit(id, who.actor, command).await?
            }
        };
        match kept {
            Kept::Never => {
                let detail =
                    "this key was closed before it was used; nothing happens under it any more";
                Err(Problem::new(StatusCode::CONFLICT, "request-closed", detail))
            }
            _ if first != print => {
                let detail = "this Idempotency-Key was used for another request";
                Err(Problem::senseless("idempotency-key-reused", detail))
            }
            Kept::Refused(refused) => Err(refused.into()),
            Kept::Done(answer) => Ok(answer),
        }
    }

    /// The payment that is asked for under a key.
    pub(super) async fn pay(&self, who: impl Into<Who>, key: Key, verb: Verb) -> Said<PaymentBody> {
        match self.ask(who, key, verb).await? {
            Answer::Payment(payment) => Ok(Json((&payment).into())),
            other => Err(Problem::internal(format!(
                "no payment was answered: {other:?}"
            ))),
        }
    }

    /// Closes a key, or gives the answer that it has.
    pub(super) async fn close_key(&self, who: Who, key: String) -> Result<Kept, Problem> {
        let id = who.record("pay close", &key);
        let by = who.by;
        let command = Command::Close { by, key };
        Ok(self.submit(id, who.actor, command).await?.1)
    }

    /// What a key was answered, as far as is known here.
    async fn answered(&self, name: &str, key: &str) -> Result<Option<(Hash, Kept)>, Problem> {
        let look = self.lane.read(|view| query::answer(view, name, key));
        Ok(look.await?)
    }

    async fn submit(
        &self,
        id: RecordId,
        actor: Actor,
        command: Command,
    ) -> Result<(Hash, Kept), Problem> {
        let request = Request {
            id,
            actor,
            priority: Priority::Vital,
            command,
        };
        match self.lane.submit(request).await?.outcome? {
            Accepted::Answered { print, answer } => Ok((print, answer)),
            Accepted::Done | Accepted::Tried(_) => {
                Err(Problem::internal("a request has no answer"))
            }
        }
    }

    /// The code of the link, or for the till, that was asked for under a key: whoever knows the installation's secret can make it again,
    /// and nobody else.
    pub(super) fn code(&self, name: &str, key: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in [name, key] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        BASE32_NOPAD.encode(&hasher.finalize().as_bytes()[..20])
    }

    /// How an answer looks to whoever asked for it under a key.
    pub(super) async fn shown(
        &self,
        name: &str,
        key: &str,
        answer: &Answer,
    ) -> Result<AnswerBody, Problem> {
        let mut body = AnswerBody::from(answer);
        match (answer, &mut body) {
            (Answer::Payment(payment), AnswerBody::Payment(body))
                if (payment.kind, payment.state) == (Kind::Link, State::Held) =>
            {
                body.code = Some(self.code(name, key));
            }
            (_, AnswerBody::Code(body)) => body.code = self.code(name, key),
            _ => {}
        }
        match (answer, body) {
            (
                Answer::Payment(payment) | Answer::Prepared { payment, .. },
                AnswerBody::Payment(body),
            ) => {
                let body = self.with_qr(payment, *body).await?;
                Ok(AnswerBody::Payment(Box::new(body)))
            }
            (_, body) => Ok(body),
        }
    }
}
