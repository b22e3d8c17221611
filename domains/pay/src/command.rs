//! Everything that may be asked of pay.
//!
//! These types stand in the log, encoded with postcard. A released one is never changed: a variant is only ever
//! appended, and a struct that needs another field becomes another struct in a new variant.

use crate::answer::Refused;
use crate::bill::NewBill;
use crate::id::{BillId, EventId, Hash, KeyName, MerchantId, PaymentId, Salt, SubscriptionId};
use crate::rule::{Rule, RuleKind};
use crate::subscription::NewSubscription;
use bongsu_base::{LogTime, RoomId, UserId};
use bongsu_ledger::{Amount, Currency, Money};
use serde::{Deserialize, Serialize};

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Something that a person or merchant asks under a key of theirs.
    Ask(Ask),
    /// See to it that a key which has no answer never gets one.
    Close {
        /// Whose key.
        by: Asker,
        /// Which.
        key: String,
    },
    /// What an operator does.
    Administer(Administer),
    /// What the bank said of an order.
    BankSaid {
        /// What the order was for.
        order: Ordered,
        /// What it said.
        said: BankSaid,
    },
    /// End what has expired, so many at the most.
    Sweep {
        /// How many.
        most: u32,
    },
    /// What became of attempts to tell merchants what happened.
    Tried(Vec<Tried>),
    /// Keep what the bank said of an order apart, because the books refuse to take it.
    SetAside {
        /// What the order was for.
        order: Ordered,
        /// What the bank said.
        said: BankSaid,
        /// Why it is not in the books.
        why: Refused,
    },
}

/// An attempt to tell a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The number of what was told.
    pub n: i64,
    /// How many attempts there were before.
    pub before: u32,
    /// The HTTP status that it was answered, if it was.
    pub status: Option<u16>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asker {
    /// The person that the record's actor is.
    Person,
    /// A merchant, by the key with this hash.
    Merchant {
        /// Which.
        id: MerchantId,
        /// The hash of the key that was presented.
        with: Hash,
    },
}

/// A request under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who asks.
    pub by: Asker,
    /// What they call it.
    pub key: String,
    /// What they want.
    pub verb: Verb,
}

/// What people and merchants may want. Two requests are the same if these are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// Open the person's wallet in a currency.
    OpenWallet(Currency),
    /// Say which bank account is the person's.
    LinkBank(String),
    /// Have the bank collect money, however much. It stands in logs alone: requests are [`Verb::TopUpWithin`].
    TopUp(Money),
    /// Have the bank pay out.
    Withdraw(Money),
    /// Pay another person.
    Transfer {
        /// Whom.
        to: UserId,
        /// How much.
        money: Money,
        /// What for.
        note: String,
    },
    /// Put money aside for whoever knows a code.
    MakeLink {
        /// The code's hash.
        code: Hash,
        /// How much.
        money: Money,
        /// What for.
        note: String,
    },
    /// Take what a link holds.
    ClaimLink(Hash),
    /// Take back what a link holds.
    CancelLink(Hash),
    /// Let a merchant's payment be.
    Accept(PaymentId),
    /// Refuse a merchant's payment.
    Decline(PaymentId),
    /// Prepare a payment to the merchant.
    Ready {
        /// How much.
        money: Money,
        /// What for: the merchant's number of the order.
        order: String,
        /// Who pays, if that is known.
        payer: Option<UserId>,
    },
    /// Take what the payer let be.
    Capture(PaymentId),
    /// Give back all or a part, or call it off.
    Cancel {
        /// Which.
        payment: PaymentId,
        /// How much; `None` is all that is left.
        amount: Option<Amount>,
    },
    /// Let whoever is shown a code charge the person once, for a minute.
    ShowCode(Hash),
    /// Charge whoever showed a code.
    Charge {
        /// The code's hash.
        code: Hash,
        /// How much.
        money: Money,
        /// What for: the merchant's number of the order.
        order: String,
    },
    /// Be told at an address from now on.
    SetWebhook {
        /// Where.
        url: String,
        /// Of which key the secret is made.
        key: KeyName,
    },
    /// Have what is told signed with another secret.
    RotateWebhook {
        /// Of which key it is made.
        key: KeyName,
    },
    /// Be told no longer.
    RemoveWebhook,
    /// Be told once more.
    TellAgain(EventId),
    /// Ask people for money.
    MakeBill(NewBill),
    /// Pay what one is asked for by a bill.
    PayShare(BillId),
    /// Refuse that.
    DeclineShare(BillId),
    /// Ask no longer.
    CancelBill(BillId),
    /// Prepare a payment to the merchant with which the payer consents to more.
    ReadyRecurring(NewSubscription),
    /// Consent no longer.
    Revoke(SubscriptionId),
    /// Charge whoever consented.
    ChargeSubscription {
        /// Which consent.
        id: SubscriptionId,
        /// How much.
        money: Money,
        /// What for: the merchant's number of the order.
        order: String,
    },
    /// Charge no longer.
    EndSubscription(SubscriptionId),
    /// Pay a merchant at once.
    PayMerchant {
        /// Whom.
        merchant: MerchantId,
        /// How much.
        money: Money,
        /// What for.
        note: String,
    },
    /// Pay another person, and have a room that both are in see it.
    TransferIn {
        /// The room.
        room: RoomId,
        /// Whom.
        to: UserId,
        /// How much.
        money: Money,
        /// What for.
        note: String,
    },
    /// Say that a purchase was not what it should have been.
    Dispute {
        /// Which.
        payment: PaymentId,
        /// Why.
        reason: String,
    },
    /// Answer that.
    AnswerDispute {
        /// Of which purchase.
        payment: PaymentId,
        /// What the merchant says.
        answer: String,
    },
    /// Have the bank collect money, as far as the limits on top-ups let it.
    TopUpWithin(Money),
}

impl Verb {
    /// By what two requests under one key are told apart.
    #[must_use]
    pub fn print(&self) -> Hash {
        // Of which key a secret is made is not of the asker's choice.
        let key = KeyName::default();
        let asked = match self {
            Self::SetWebhook { url, .. } => Self::SetWebhook {
                url: url.clone(),
                key,
            },
            Self::RotateWebhook { .. } => Self::RotateWebhook { key },
            // To whoever asks it is the same, whatever rule it was taken by.
            Self::TopUpWithin(money) => Self::TopUp(*money),
            other => other.clone(),
        };
        let bytes = postcard::to_stdvec(&asked).expect("a verb is plain data");
        Hash(blake3::derive_key(
            "bongsu 2026-11 what a payment key asks",
            &bytes,
        ))
    }
}

/// What an order to the bank was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ordered {
    /// A top-up or a withdrawal.
    Payment(PaymentId),
    /// The settlement of this number.
    Settlement(i64),
}

/// What a bank says of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BankSaid {
    /// It was carried out.
    Done {
        /// The bank's name for it.
        reference: String,
    },
    /// It was not and never will be.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What an operator does. It is written into the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administer {
    /// Which administrator; `None` is whoever runs the installation.
    pub by: Option<UserId>,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// What.
    pub act: Act,
}

/// A merchant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMerchant {
    /// Its id.
    pub id: MerchantId,
    /// Its name.
    pub name: String,
    /// Its city.
    pub city: String,
    /// What it sells: a merchant category code (ISO 18245).
    pub category: u16,
    /// In which currency it is paid.
    pub currency: Currency,
    /// What a payment costs it, in hundredths of a percent, up to 10,000.
    pub fee: u16,
    /// Its account at the bank.
    pub bank: String,
    /// The hash of its first key.
    pub key: Hash,
}

/// What operators can do. Variants are only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Add a merchant.
    AddMerchant(NewMerchant),
    /// Give a merchant another key.
    Rotate {
        /// Which.
        merchant: MerchantId,
        /// The hash of the new key.
        key: Hash,
        /// Until when the others are taken.
        until: LogTime,
    },
    /// Freeze a merchant, or let it trade again.
    FreezeMerchant {
        /// Which.
        merchant: MerchantId,
        /// Whether it is frozen.
        frozen: bool,
    },
    /// Freeze a person's wallets, or let them be used again.
    FreezeWallet {
        /// Whose.
        owner: UserId,
        /// Whether they are frozen.
        frozen: bool,
    },
    /// Say how well a person is known.
    SetLevel {
        /// Whose.
        owner: UserId,
        /// From 0 to 3.
        level: u8,
    },
    /// Set what people of a level may spend.
    SetLimits {
        /// In which currency.
        currency: Currency,
        /// Of which level.
        level: u8,
        /// How much.
        limits: Limits,
    },
    /// Pay a merchant what it has earned.
    Settle(MerchantId),
    /// Have a merchant be told at an address, with another secret.
    SetWebhook {
        /// Which.
        merchant: MerchantId,
        /// Where; `None` is where it is told already.
        url: Option<String>,
        /// Of which the secret is made.
        salt: Salt,
    },
    /// Have a merchant be told no longer.
    RemoveWebhook(MerchantId),
    /// Decide a dispute.
    Decide {
        /// Of which purchase.
        payment: PaymentId,
        /// Whether the payer gets back what is left of it.
        refund: bool,
    },
    /// Put a rule into force about which payments are looked at.
    SetRule {
        /// In which currency.
        currency: Currency,
        /// Which.
        rule: Rule,
    },
    /// Take a rule out of force.
    RemoveRule {
        /// In which currency.
        currency: Currency,
        /// Which.
        kind: RuleKind,
    },
    /// Let a payment go on that waits for an operator, or refuse it.
    Review {
        /// Which.
        payment: PaymentId,
        /// Whether it goes on.
        release: bool,
    },
    /// Set how much people of a level may have the bank bring.
    SetTopUpLimits {
        /// In which currency.
        currency: Currency,
        /// Of which level.
        level: u8,
        /// How much.
        limits: TopUpLimits,
    },
}

/// How much may come from the bank, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpLimits {
    /// At once.
    pub top_up: i64,
    /// The most that a wallet may have when it has come.
    pub balance: i64,
}

/// How much may leave a wallet, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// At once.
    pub payment: i64,
    /// In a day.
    pub day: i64,
    /// In a month.
    pub month: i64,
}

/// What an accepted command answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accepted {
    /// It was done.
    Done,
    /// What the key's answer is, for ever.
    Answered {
        /// What was asked when it was given.
        print: Hash,
        /// The answer.
        answer: crate::answer::Kept,
    },
    /// How far each telling is that was tried and waited.
    Tried(Vec<crate::answer::Telling>),
}

/// Why a command was not accepted. It leaves no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Rejected {
    /// Not for whoever asked.
    #[error("this is not yours to do")]
    NotAllowed,
    /// The merchant's key is none, or is good no longer.
    #[error("the secret key is unknown or was replaced")]
    UnknownKey,
    /// An operator's act that cannot be done.
    #[error(transparent)]
    Refused(#[from] Refused),
}
