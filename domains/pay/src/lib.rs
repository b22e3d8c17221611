//! Pay: wallets, merchants, and the money between them.
//!
//! It promises that
//!
//! - money is in the double-entry ledger alone, and all that exists came through the bank's account: the sum over all
//!   accounts is nothing;
//! - a key gets one answer for ever, refusals included, in every data centre; a key that was closed never gets one;
//! - nobody spends what they do not have, nor more than their limits let them, whatever is asked at the same time;
//! - what is held ends once: taken, called off, or by time;
//! - a merchant sees its own payments alone;
//! - whoever wants to be told what happens is told at least once, by the same name each time, or it is listed as not told.
//!
//! It keeps hashes of secrets, never the secrets. It never knows who people are beyond their ids, nor which bank it is.

mod answer;
mod apply;
mod bank;
mod bill;
mod command;
mod dispute;
mod effect;
pub mod http;
mod id;
pub mod limits;
mod query;
mod rule;
mod state;
mod subscription;
#[cfg(test)]
mod testing;

pub use answer::{About, Answer, Kept, Kind, Payment, Refused, State, Telling, Wallet};
pub use bank::{BankMetrics, BankOrders};
pub use bill::{Bill, BillState, NewBill, Share, ShareState};
pub use command::{
    Accepted, Act, Administer, Ask, Asker, BankSaid, Command, Limits, NewMerchant, Ordered,
    Rejected, TopUpLimits, Tried, Verb,
};
pub use dispute::{Dispute, DisputeState};
pub use effect::Effect;
pub use id::{BillId, EventId, Hash, KeyName, MerchantId, NoId, PaymentId, Salt, SubscriptionId};
pub use rule::{Rule, RuleKind};
pub use subscription::{NewSubscription, Period, Subscription, SubscriptionState};

use bongsu_lane::{Cx, Domain, Refusal};
use rusqlite::Connection;

/// The domain of money.
pub struct Pay;

impl Domain for Pay {
    const NAME: &'static str = "pay";
    const VERSION: u32 = 2;
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("migrations/0001.sql"),
        bongsu_ledger::MIGRATIONS[0],
        bongsu_audit::SCHEMA,
        include_str!("migrations/0002.sql"),
        include_str!("migrations/0003.sql"),
        include_str!("migrations/0004.sql"),
        include_str!("migrations/0005.sql"),
        bongsu_ledger::MIGRATIONS[1],
    ];

    type Command = Command;
    type Accepted = Accepted;
    type Rejected = Rejected;
    type Effect = Effect;

    fn migrated(db: &Connection) -> rusqlite::Result<()> {
        bongsu_ledger::migrated(db)
    }

    fn apply(cx: &mut Cx<'_, Self>, command: Command) -> Result<Accepted, Refusal<Rejected>> {
        apply::apply(cx, command)
    }
}
