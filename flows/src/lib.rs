//! Flows: one file for each crossing between domains.
//!
//! A flow turns one domain's effect into another domain's command. It promises to do so once, however
//! often it is run: the command's record is named after the effect. It holds no state and no rules; what
//! the command means is the other domain's business.

mod deactivation_to_rooms;
mod payment_to_room;
mod profile_to_rooms;

use bongsu_base::RecordId;
use bongsu_identity::{Effect, Identity, Provider};
use bongsu_lane::{Actor, Domain, EffectError, EffectHandler, EffectId, Lane, Priority, Request};
use bongsu_pay::{BankOrders, Pay};
use bongsu_talk::{Command, Talk};
use payment_to_room::Paid;

/// Everything that identity asks of others.
#[derive(Clone)]
pub struct IdentityFlows {
    /// Where rooms are.
    pub talk: Lane<Talk>,
    /// Whoever tells other services.
    pub provider: Provider,
}

#[async_trait::async_trait]
impl EffectHandler<Identity> for IdentityFlows {
    async fn run(&self, id: EffectId, effect: Effect) -> Result<(), EffectError> {
        let commands = match effect {
            Effect::ProfileChanged {
                user,
                displayname,
                avatar_url,
            } => profile_to_rooms::commands(user, displayname, avatar_url),
            Effect::Deactivated { user, erase } => deactivation_to_rooms::commands(user, erase),
            Effect::SignedOut {
                client,
                to,
                user,
                browser,
                at,
            } => {
                let who = (&user, browser.as_ref());
                let told = self.provider.tell_signed_out(id, (&client, &to), who, at);
                return told.await.map_err(|error| EffectError(error.to_string()));
            }
        };
        for (part, command) in commands {
            submit(&self.talk, id.record(Identity::NAME, part), command).await?;
        }
        Ok(())
    }
}

/// Everything that pay asks of others.
#[derive(Clone)]
pub struct PayFlows {
    /// Where rooms are.
    pub talk: Lane<Talk>,
    /// Whoever gives orders to the bank.
    pub orders: BankOrders,
}

#[async_trait::async_trait]
impl EffectHandler<Pay> for PayFlows {
    async fn run(&self, id: EffectId, effect: bongsu_pay::Effect) -> Result<(), EffectError> {
        match effect {
            bongsu_pay::Effect::Bank {
                order,
                collect,
                account,
                money,
            } => {
                let order = self.orders.carry_out(id, order, collect, (account, money));
                order.await
            }
            bongsu_pay::Effect::Show {
                room,
                payment,
                payer,
                payee,
                money,
                note,
            } => {
                let record = RecordId::named(&["payment in a room"], &payment.to_string());
                let command = payment_to_room::command(Paid {
                    room,
                    payment,
                    payer,
                    payee,
                    money,
                    note,
                });
                submit(&self.talk, record, command).await
            }
        }
    }
}

/// Has another domain carry out what an effect asks for. Its rejection is final: doing it again would
/// be rejected again.
async fn submit(talk: &Lane<Talk>, id: RecordId, command: Command) -> Result<(), EffectError> {
    let request = Request {
        id,
        actor: Actor::Platform,
        priority: Priority::Background,
        command,
    };
    talk.submit(request)
        .await
        .map(drop)
        .map_err(|error| EffectError(error.to_string()))
}
