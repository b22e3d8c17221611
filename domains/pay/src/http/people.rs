//! What people do with their money.

use super::Api;
use super::amount::{Asking, currency};
use super::ask::Said;
use super::gate::{Asked, Key, Named, Paged, Paging, Payer, Reader};
use super::problem::{Problem, Refusals};
use super::statement::Whose;
use super::wire::{
    AnswerBody, BankAccountBody, CodeBody, LineBody, PageBody, PaymentBody, WalletBody,
};
use crate::answer::{Answer, Refused};
use crate::command::Verb;
use crate::id::{Hash, PaymentId};
use crate::query;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bongsu_base::{RoomId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

/// The longest note, in characters.
const MAX_NOTE: usize = 200;

/// A wallet to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenWallet {
    /// Its currency; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
}

/// A bank account to link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBank {
    /// Its number, 1 to 64 letters, digits and `-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9-]+$")]
    account: String,
}

/// An amount to move between the bank and the wallet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Much {
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
}

/// A payment to another person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Whom: a user id.
    to: String,
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
    /// A room in which payer and payee are, to show it there as an event `kr.bongsu.payment`. If one of them is not in it by
    /// then, it is shown nowhere, and paid all the same.
    #[serde(default)]
    room: Option<String>,
}

/// A link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeLink {
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// A text that is kept: short, and without what no line of a statement should hold.
pub(super) fn text(name: &'static str, text: String) -> Result<String, Problem> {
    if text.chars().count() > MAX_NOTE || text.chars().any(char::is_control) {
        let detail =
            format!("`{name}` has at most {MAX_NOTE} characters, and no control characters");
        return Err(Problem::bad("invalid-text", detail));
    }
    Ok(text)
}

fn unexpected(answer: &Answer) -> Problem {
    Problem::internal(format!("another answer than was asked for: {answer:?}"))
}

/// The payment that a path names.
pub(super) fn id(name: &str) -> Result<PaymentId, Problem> {
    name.parse().map_err(|_| Refused::NoSuchPayment.into())
}

/// Your wallets.
#[utoipa::path(get, path = "/pay/v1/wallet", tag = "pay: wallets", security(("person" = [])),
    responses((status = 200, body = Vec<WalletBody>), Refusals))]
pub async fn wallets(State(api): State<Api>, Reader(user): Reader) -> Said<Vec<WalletBody>> {
    let now = api.clock.now();
    let look = api
        .lane
        .read(|view| query::wallets(view, user.as_str(), now));
    Ok(Json(look.await?.iter().map(WalletBody::from).collect()))
}

/// Open your wallet; one that is open stays as it is.
#[utoipa::path(post, path = "/pay/v1/wallet", tag = "pay: wallets", security(("person" = [])),
    params(Key), request_body = OpenWallet,
    responses((status = 200, body = WalletBody), Refusals))]
pub async fn open(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<OpenWallet>,
) -> Said<WalletBody> {
    let verb = Verb::OpenWallet(currency(asked.currency.as_ref())?);
    match api.ask(payer, key, verb).await? {
        Answer::Wallet(wallet) => Ok(Json((&wallet).into())),
        other => Err(unexpected(&other)),
    }
}

/// What happened in your wallet, newest first.
#[utoipa::path(get, path = "/pay/v1/wallet/statement", tag = "pay: wallets", security(("person" = [])),
    params(Paging), responses((status = 200, content((PageBody<LineBody> = "application/json"), (String = "text/csv"),
        (String = "application/xml"))), Refusals))]
pub async fn statement(
    State(api): State<Api>,
    Reader(user): Reader,
    paged: Paged,
) -> Result<Response, Problem> {
    let currency = currency(paged.currency.as_ref())?;
    let whose = Whose::Wallet(user.to_string(), currency);
    Ok(api.statement(whose, &paged).await?)
}

/// Say which bank account is yours.
#[utoipa::path(post, path = "/pay/v1/wallet/bank-account", tag = "pay: wallets", security(("person" = [])),
    params(Key), request_body = LinkBank,
    responses((status = 200, body = BankAccountBody), Refusals))]
pub async fn link_bank(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<LinkBank>,
) -> Said<BankAccountBody> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let sound = (1..=64).contains(&asked.account.len()) && asked.account.bytes().all(allowed);
    if !sound {
        let detail = "a bank account has 1 to 64 letters, digits and `-`";
        return Err(Problem::bad("invalid-bank-account", detail));
    }
    match api.ask(payer, key, Verb::LinkBank(asked.account)).await? {
        Answer::BankAccount(account) => Ok(Json(BankAccountBody { account })),
        other => Err(unexpected(&other)),
    }
}

/// Have your bank bring money, within the limits of your level: so much at once, and no more than a wallet may have when it
/// has come, with what the bank is still to bring.
#[utoipa::path(post, path = "/pay/v1/topups", tag = "pay: wallets", security(("person" = [])),
    params(Key), request_body = Much,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn top_up(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<Much>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    api.pay(payer, key, Verb::TopUpWithin(money)).await
}

/// Have money brought to your bank.
#[utoipa::path(post, path = "/pay/v1/withdrawals", tag = "pay: wallets", security(("person" = [])),
    params(Key), request_body = Much,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn withdraw(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<Much>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    api.pay(payer, key, Verb::Withdraw(money)).await
}

/// Pay another person.
#[utoipa::path(post, path = "/pay/v1/transfers", tag = "pay: people", security(("person" = [])),
    params(Key), request_body = Transfer,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn transfer(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<Transfer>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let wrong = |_| Problem::bad("invalid-user", "`to` is a user id, as in @mina:example.org");
    let to = asked.to.parse::<UserId>().map_err(wrong)?;
    let note = text("note", asked.note)?;
    let wrong = |_| {
        Problem::bad(
            "invalid-room",
            "`room` is a room id, as in !tea:example.org",
        )
    };
    let room = asked.room.map(|room| room.parse::<RoomId>());
    let verb = match room.transpose().map_err(wrong)? {
        None => Verb::Transfer { to, money, note },
        Some(room) => Verb::TransferIn {
            room,
            to,
            money,
            note,
        },
    };
    api.pay(payer, key, verb).await
}

/// Put money aside for whoever knows a code; it comes back after three days.
#[utoipa::path(post, path = "/pay/v1/links", tag = "pay: people", security(("person" = [])),
    params(Key), request_body = MakeLink,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn make_link(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Asked(asked): Asked<MakeLink>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let note = text("note", asked.note)?;
    let (name, called) = (payer.user.to_string(), key.0.clone());
    let code = Hash::of_secret(&api.code(&name, &called));
    let answer = api
        .ask(payer, key, Verb::MakeLink { code, money, note })
        .await?;
    match api.shown(&name, &called, &answer).await? {
        AnswerBody::Payment(body) => Ok(Json(*body)),
        _ => Err(unexpected(&answer)),
    }
}

/// Have a code to show at a till: a merchant can charge you once with it, within a minute.
#[utoipa::path(post, path = "/pay/v1/code", tag = "pay: approvals", security(("person" = [])),
    params(Key),
    responses((status = 200, body = CodeBody), Refusals))]
pub async fn show_code(State(api): State<Api>, payer: Payer, key: Key) -> Said<CodeBody> {
    let (name, called) = (payer.user.to_string(), key.0.clone());
    let code = Hash::of_secret(&api.code(&name, &called));
    let answer = api.ask(payer, key, Verb::ShowCode(code)).await?;
    match api.shown(&name, &called, &answer).await? {
        AnswerBody::Code(body) => Ok(Json(body)),
        _ => Err(unexpected(&answer)),
    }
}

/// Take what a link holds.
#[utoipa::path(post, path = "/pay/v1/links/{code}/claim", tag = "pay: people", security(("person" = [])),
    params(("code" = String, Path), Key),
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn claim_link(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(code): Named,
) -> Said<PaymentBody> {
    let code = Hash::of_secret(&code);
    api.pay(payer, key, Verb::ClaimLink(code)).await
}

/// Take back what a link of yours holds.
#[utoipa::path(post, path = "/pay/v1/links/{code}/cancel", tag = "pay: people", security(("person" = [])),
    params(("code" = String, Path), Key),
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn cancel_link(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(code): Named,
) -> Said<PaymentBody> {
    let code = Hash::of_secret(&code);
    api.pay(payer, key, Verb::CancelLink(code)).await
}

/// A payment in which you have a part: its receipt.
#[utoipa::path(get, path = "/pay/v1/payments/{payment}", tag = "pay: people", security(("person" = [])),
    params(("payment" = String, Path)), responses((status = 200, body = PaymentBody), Refusals))]
pub async fn payment(
    State(api): State<Api>,
    Reader(user): Reader,
    Named(name): Named,
) -> Said<PaymentBody> {
    let id = id(&name)?;
    let look = api
        .lane
        .read(|view| query::payment(view, user.as_str(), id));
    let found = look.await?.ok_or(Refused::NoSuchPayment)?;
    Ok(Json((&found).into()))
}

/// What a merchant asks of you, and what you consent to by approving it.
#[utoipa::path(get, path = "/pay/v1/approvals/{payment}", tag = "pay: approvals", security(("person" = [])),
    params(("payment" = String, Path)), responses((status = 200, body = PaymentBody), Refusals))]
pub async fn asked(
    State(api): State<Api>,
    Reader(user): Reader,
    Named(name): Named,
) -> Said<PaymentBody> {
    let id = id(&name)?;
    let look = api.lane.read(|view| {
        let found = query::asked(view, user.as_str(), id)?;
        Ok((found, query::consent(view, id)?))
    });
    let (found, consent) = look.await?;
    let found = found.ok_or(Refused::NoSuchPayment)?;
    Ok(Json(PaymentBody::with(&found, consent.as_ref())))
}

/// Let a merchant's payment be: the money is held for it for an hour.
#[utoipa::path(post, path = "/pay/v1/approvals/{payment}/approve", tag = "pay: approvals", security(("person" = [])),
    params(("payment" = String, Path), Key),
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn accept(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<PaymentBody> {
    let id = id(&name)?;
    api.pay(payer, key, Verb::Accept(id)).await
}

/// Refuse a merchant's payment.
#[utoipa::path(post, path = "/pay/v1/approvals/{payment}/decline", tag = "pay: approvals", security(("person" = [])),
    params(("payment" = String, Path), Key),
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn decline(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<PaymentBody> {
    let id = id(&name)?;
    api.pay(payer, key, Verb::Decline(id)).await
}
