//! What requests are answered: the answers are kept with their keys for ever, refusals too.

use crate::bill::Bill;
use crate::command::Limits;
use crate::dispute::{Dispute, DisputeState};
use crate::id::{EventId, MerchantId, PaymentId, Salt};
use crate::state::merchant::Settlement;
use crate::subscription::{Subscription, SubscriptionState};
use bongsu_base::LogTime;
use bongsu_ledger::Currency;
use serde::{Deserialize, Serialize};

/// What a key's answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// It was done.
    Done(Answer),
    /// It was refused, and never happens under this key.
    Refused(Refused),
    /// Whoever asked had the key closed before it was used.
    Never,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// This is the wallet.
    Wallet(Wallet),
    /// The account was linked.
    BankAccount(String),
    /// This is the payment.
    Payment(Payment),
    /// The code is good until then.
    Code(LogTime),
    /// The merchant is told here.
    Webhook {
        /// The address.
        url: String,
        /// Of which the secret is made.
        salt: Salt,
    },
    /// The merchant is told no longer.
    WebhookRemoved,
    /// This is told once more.
    ToldAgain(EventId),
    /// This is the bill, as far as whoever asked may see it.
    Bill(Bill),
    /// This is the payment with which a payer consents to more.
    Prepared {
        /// The payment.
        payment: Payment,
        /// To what.
        subscription: Box<Subscription>,
    },
    /// This is the subscription.
    Subscription(Box<Subscription>),
    /// This is the dispute.
    Dispute(Dispute),
}

/// What a merchant is told of, as it was when it happened. It stands in the view encoded with postcard: variants are
/// only appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// A payment.
    Payment(Payment),
    /// A settlement.
    Settlement(Settlement),
    /// A subscription.
    Subscription(Subscription),
    /// A dispute.
    Dispute(Dispute),
}

impl About {
    /// What happened, as the merchant is told.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment(payment) => match payment.state {
                State::Held => "payment.approved",
                State::Paid if payment.refunded > 0 => "payment.partially_canceled",
                State::Paid => "payment.paid",
                State::Declined => "payment.declined",
                State::Canceled => "payment.canceled",
                State::Expired => "payment.expired",
                State::Review => "payment.in_review",
                State::AtBank | State::Ready => "payment.changed",
            },
            Self::Settlement(settlement) => match settlement.state {
                2 => "settlement.paid",
                _ => "settlement.refused",
            },
            Self::Subscription(subscription) => match subscription.state {
                SubscriptionState::Active if subscription.charges > 0 => "subscription.charged",
                SubscriptionState::Ready | SubscriptionState::Active => "subscription.consented",
                SubscriptionState::Revoked => "subscription.revoked",
                SubscriptionState::Ended => "subscription.ended",
            },
            Self::Dispute(dispute) => match dispute.state {
                DisputeState::Open => "dispute.opened",
                DisputeState::Answered => "dispute.answered",
                DisputeState::Refunded => "dispute.refunded",
                DisputeState::Rejected => "dispute.rejected",
            },
        }
    }

    /// What this is called wherever and however often it is told.
    #[must_use]
    pub fn id(&self) -> EventId {
        let (name, so_far) = match self {
            Self::Payment(payment) => (payment.id.to_string(), payment.refunded),
            Self::Settlement(settlement) => (settlement.n.to_string(), 0),
            Self::Subscription(subscription) => (subscription.id.to_string(), subscription.charges),
            Self::Dispute(dispute) => (dispute.payment.to_string(), 0),
        };
        EventId::of(self.kind(), &name, so_far)
    }
}

/// How far it is that a merchant is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Telling {
    /// It is tried when its time comes.
    Waiting = 1,
    /// The merchant took it.
    Delivered = 2,
    /// The merchant did not take it for days.
    GivenUp = 3,
    /// The address was removed before the merchant took it.
    Stopped = 4,
}

/// A wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Its currency.
    pub currency: Currency,
    /// What is in it, with what is held.
    pub balance: i64,
    /// What is held.
    pub held: i64,
    /// How well its owner is known.
    pub level: u8,
    /// Whether it is frozen.
    pub frozen: bool,
    /// What may leave it.
    pub limits: Limits,
    /// What has left it today.
    pub day_used: i64,
    /// What has left it this month.
    pub month_used: i64,
}

/// What a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// From the bank into a wallet.
    TopUp = 1,
    /// From a wallet to the bank.
    Withdrawal = 2,
    /// From a person to another.
    Transfer = 3,
    /// To whoever knows a code.
    Link = 4,
    /// To a merchant.
    Purchase = 5,
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The bank was asked; what it says is not known yet.
    AtBank = 1,
    /// The merchant asks for it; the payer has not said anything.
    Ready = 2,
    /// The money is held.
    Held = 3,
    /// The money was moved.
    Paid = 4,
    /// It was refused by the bank or the payer.
    Declined = 5,
    /// It was called off, or all of it was given back.
    Canceled = 6,
    /// Its time ran out.
    Expired = 7,
    /// The money is held until an operator has looked at it.
    Review = 8,
}

/// A payment, as it was when this was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What it is.
    pub kind: Kind,
    /// How far it is.
    pub state: State,
    /// Who pays: a user id; empty while nobody does.
    pub payer: String,
    /// Who is paid: a user id or a merchant's; empty while nobody is.
    pub payee: String,
    /// How much, in minor units.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
    /// What it cost the merchant.
    pub fee: i64,
    /// How much was given back.
    pub refunded: i64,
    /// How much of the fee was given back.
    pub fee_back: i64,
    /// What for, or why not.
    pub note: String,
    /// When it began.
    pub made: LogTime,
    /// When it last changed.
    pub changed: LogTime,
    /// When it ends by itself.
    pub expires: Option<LogTime>,
}

/// A merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Its name.
    pub name: String,
    /// Its city.
    pub city: String,
    /// What it sells.
    pub category: u16,
    /// Its currency.
    pub currency: Currency,
    /// What a payment costs it, in hundredths of a percent.
    pub fee: u16,
    /// Whether it is frozen.
    pub frozen: bool,
    /// Its account at the bank.
    pub bank: String,
    /// What it earned and was not settled.
    pub pending: bongsu_ledger::AccountId,
    /// What is on its way to its bank.
    pub payable: bongsu_ledger::AccountId,
}

/// Declares refusals with the names they have outside, their statuses and their texts.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $text:literal;)*) => {
        /// Why something was refused. Variants are only appended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
        pub enum Refused {
            $($(#[$doc])* #[error($text)] $variant,)*
        }

        impl Refused {
            /// Its name, as in `urn:bongsu:pay:<name>`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that fits it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

refusals! {
    /// There is no wallet.
    NoWallet = "no-wallet", 404, "there is no wallet in this currency; open one first";
    /// The other has none.
    PayeeHasNoWallet = "payee-has-no-wallet", 404, "the other person has no wallet in this currency";
    /// The wallet is frozen.
    WalletFrozen = "wallet-frozen", 403, "the wallet is frozen; whoever runs this installation can say why";
    /// The other's wallet is frozen.
    PayeeFrozen = "payee-frozen", 403, "the other's account is frozen";
    /// There is not enough.
    InsufficientFunds = "insufficient-funds", 409, "there is not enough money for this";
    /// More than may be paid at once.
    PaymentLimit = "limit-per-payment", 403, "this is more than may be paid at once";
    /// More than may be paid in a day.
    DayLimit = "limit-per-day", 403, "this is more than may be paid in a day";
    /// More than may be paid in a month.
    MonthLimit = "limit-per-month", 403, "this is more than may be paid in a month";
    /// To oneself.
    SamePerson = "payee-is-payer", 409, "payer and payee are the same";
    /// No bank account.
    NoBankAccount = "no-bank-account", 409, "link a bank account first";
    /// No such payment, or not for whoever asks.
    NoSuchPayment = "no-such-payment", 404, "there is no such payment";
    /// No such link.
    NoSuchLink = "no-such-link", 404, "there is no such link";
    /// The code is taken.
    LinkExists = "link-exists", 409, "there is such a link already";
    /// It is over, or not so far.
    WrongState = "wrong-state", 409, "the payment is not in a state in which this can be done";
    /// Its time ran out.
    Expired = "expired", 409, "its time has run out";
    /// More than is left of it.
    ExceedsPayment = "exceeds-payment", 409, "this is more than is left of the payment";
    /// Another currency.
    WrongCurrency = "wrong-currency", 422, "this is another currency than is expected here";
    /// Totals beyond what can be counted.
    TooLarge = "amount-too-large", 422, "the amount, or a total with it, is too large to be counted";
    /// The merchant is frozen.
    MerchantFrozen = "merchant-frozen", 403, "the merchant is frozen; whoever runs this installation can say why";
    /// No such merchant.
    NoSuchMerchant = "no-such-merchant", 404, "there is no such merchant";
    /// The merchant exists.
    MerchantExists = "merchant-exists", 409, "there is such a merchant already";
    /// Nothing to settle.
    NothingToSettle = "nothing-to-settle", 409, "the merchant has earned nothing that was not settled";
    /// The code is none, was used, or its minute is over.
    NoSuchCode = "no-such-code", 404, "there is no such code, it was used, or its minute is over";
    /// An operator gave a number that is none.
    OutOfRange = "out-of-range", 422, "a number is outside of its range";
    /// Not for whoever asks.
    NotForYou = "not-for-this-caller", 403, "this is for others to ask";
    /// The ledger knows a reason that the rules do not.
    BooksRefuse = "refused-by-the-books", 409, "the books do not let this be done; nothing was moved";
    /// The merchant is told nowhere.
    NoWebhook = "no-webhook", 404, "there is no address at which the merchant is told; set one first";
    /// Nothing of this name was told, or it was forgotten.
    NoSuchEvent = "no-such-event", 404, "there is no such event, or it is too long ago";
    /// No such bill, or not for whoever asks.
    NoSuchBill = "no-such-bill", 404, "there is no such bill";
    /// Somebody is asked twice.
    PersonTwice = "person-twice", 422, "a bill asks each person once";
    /// A bill asks nobody, or too many.
    SharesOutOfRange = "shares-out-of-range", 422, "a bill asks 1 to 100 people, one of whom is not whoever asks";
    /// No such subscription, or not for whoever asks.
    NoSuchSubscription = "no-such-subscription", 404, "there is no such subscription";
    /// More than the payer consented to.
    ExceedsConsent = "exceeds-consent", 403, "this is more than the payer consented to pay at once";
    /// The period was charged.
    ChargeTooEarly = "charge-too-early", 409, "the payer was charged in this period; charge again in the next one";
    /// The payer consents no longer.
    ConsentRevoked = "consent-revoked", 409, "the payer has revoked their consent";
    /// The merchant ended it, or its time ran out.
    SubscriptionEnded = "subscription-ended", 409, "the subscription has ended";
    /// No such dispute, or not for whoever asks.
    NoSuchDispute = "no-such-dispute", 404, "there is no such dispute";
    /// The purchase was disputed.
    DisputeExists = "dispute-exists", 409, "this payment was disputed already";
    /// The purchase is too old to be disputed.
    DisputeTooLate = "dispute-too-late", 409, "a payment can be disputed within 90 days";
    /// The payment does not wait for an operator.
    NotInReview = "not-in-review", 404, "there is no such payment that waits for an operator";
    /// There is no such rule.
    NoSuchRule = "no-such-rule", 404, "there is no such rule";
    /// More than may come from the bank at once.
    TopUpLimit = "limit-per-top-up", 403, "this is more than may be topped up at once";
    /// More than a wallet may have.
    BalanceLimit = "limit-of-balance", 403, "with this, and what the bank is still to bring, the wallet would have more than it may";
}
