//! QR codes that merchants show (EMVCo Merchant-Presented Mode): the static one of a merchant, the dynamic one of a payment.

use super::Api;
use super::amount::Asking;
use super::ask::Said;
use super::gate::{Asked, Key, Named, Payer, Reader, Shop};
use super::people::text;
use super::problem::{Problem, Refusals};
use super::wire::PaymentBody;
use crate::answer::{Kind, Merchant, Payment, Refused, State as How};
use crate::command::Verb;
use crate::id::{MerchantId, PaymentId};
use crate::query;
use axum::Json;
use axum::extract::State;
use bongsu_emvco::{Account, Initiation, Localised, Payload, currency_number};
use bongsu_ledger::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The globally unique id of our template.
const SCHEME: &str = "kr.bongsu.pay";
/// The most characters of a name and of a city.
const NAME: usize = 25;
const CITY: usize = 15;

/// A merchant's static code.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShopQrBody {
    /// What stands in the QR code.
    pub qr: String,
}

/// A code that was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadQr {
    /// What stands in it.
    #[schema(max_length = 512)]
    qr: String,
}

/// Whom a static code is of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownMerchantBody {
    /// Its id.
    pub merchant: String,
    /// Its name.
    pub name: String,
    /// Its city.
    pub city: String,
    /// What it sells (ISO 18245).
    pub category: u16,
    /// In what it is paid.
    pub currency: String,
}

/// What a code is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QrBody {
    /// A payment to approve.
    Payment {
        /// Which.
        payment: Box<PaymentBody>,
    },
    /// A merchant to pay what the payer says.
    Merchant {
        /// Which.
        merchant: ShownMerchantBody,
    },
}

/// A payment to a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayMerchant {
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

/// `minor` units as a decimal number of the currency.
fn decimal(minor: i64, currency: Currency) -> String {
    let width = usize::from(currency.exponent());
    if width == 0 {
        return minor.to_string();
    }
    let digits = format!("{minor:0>least$}", least = width + 1);
    let (whole, part) = digits.split_at(digits.len() - width);
    format!("{whole}.{part}")
}

/// What of `text` can stand in a code, or `otherwise`.
fn plain(text: &str, most: usize, otherwise: &str) -> String {
    let sound = |text: &str| {
        let shown = text.chars().filter(|c| matches!(c, ' '..='~'));
        shown.take(most).collect::<String>().trim().to_owned()
    };
    let found = sound(text);
    if found.is_empty() {
        sound(otherwise)
    } else {
        found
    }
}

/// The code of `shop` for what is called `name` in our scheme.
fn write(shop: &Merchant, name: String, payment: Option<&Payment>) -> Option<String> {
    let local = (!shop.name.is_ascii()).then(|| Localised {
        language: "ko".into(),
        name: shop.name.chars().take(NAME).collect(),
        city: Some(shop.city.chars().take(CITY).collect()).filter(|city: &String| !city.is_empty()),
    });
    let payload = Payload {
        initiation: if payment.is_some() {
            Initiation::Dynamic
        } else {
            Initiation::Static
        },
        accounts: vec![Account {
            scheme: SCHEME.into(),
            merchant: name,
        }],
        category: shop.category,
        currency: currency_number(shop.currency.code())?,
        amount: payment.map(|payment| decimal(payment.amount, payment.currency)),
        country: "KR".into(),
        name: plain(&shop.name, NAME, shop.id.as_str()),
        city: plain(&shop.city, CITY, "Korea"),
        reference: None,
        terminal: None,
        localised: local,
    };
    payload.write().ok()
}

/// What `text` says of us: who, in which currency, how much.
fn read(text: &str) -> Result<(String, u16, Option<String>), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::senseless("qr-empty", "the code's text is empty"));
    }
    let payload = Payload::read(text).map_err(|refused| {
        let name = match refused {
            bongsu_emvco::Refused::Checksum => "qr-checksum",
            _ => "qr-malformed",
        };
        Problem::senseless(name, refused.to_string())
    })?;
    let ours = payload
        .accounts
        .into_iter()
        .find(|one| one.scheme == SCHEME);
    let detail = "this code is of another scheme, with which nobody here can be paid";
    let ours = ours.ok_or_else(|| Problem::senseless("qr-foreign", detail))?;
    Ok((ours.merchant, payload.currency, payload.amount))
}

/// Sees that a code says what is so.
fn agrees(
    (number, amount): (u16, Option<String>),
    currency: Currency,
    expect: Option<String>,
) -> Result<(), Problem> {
    if currency_number(currency.code()) != Some(number) {
        return Err(Refused::WrongCurrency.into());
    }
    if amount != expect {
        let detail = "the amount in the code is not what is asked for; do not pay by it";
        return Err(Problem::senseless("qr-differs", detail));
    }
    Ok(())
}

impl Api {
    /// `body` with the code of a payment that waits for its payer.
    pub(super) async fn with_qr(
        &self,
        payment: &Payment,
        mut body: PaymentBody,
    ) -> Result<PaymentBody, Problem> {
        if (payment.kind, payment.state) == (Kind::Purchase, How::Ready) {
            let look = self.lane.read(|view| query::merchant(view, &payment.payee));
            let shop = look.await?;
            body.qr = shop.and_then(|shop| write(&shop, payment.id.to_string(), Some(payment)));
        }
        Ok(body)
    }
}

/// The QR code that hangs on your wall: whoever reads it pays what they say.
#[utoipa::path(get, path = "/pay/v1/merchant/qr", tag = "pay: merchants", security(("merchant" = [])),
    responses((status = 200, body = ShopQrBody), Refusals))]
pub async fn of_shop(State(api): State<Api>, shop: Shop) -> Said<ShopQrBody> {
    let look = api
        .lane
        .read(|view| query::merchant(view, shop.id.as_str()));
    let found = look.await?.ok_or(Refused::NoSuchMerchant)?;
    let qr = write(&found, found.id.to_string(), None);
    let qr = qr.ok_or_else(|| Problem::internal("a merchant has no code"))?;
    Ok(Json(ShopQrBody { qr }))
}

/// What a QR code that you read is: a payment to approve, or a merchant to pay.
#[utoipa::path(post, path = "/pay/v1/qr", tag = "pay: people", security(("person" = [])), request_body = ReadQr,
    responses((status = 200, body = QrBody), Refusals))]
pub async fn look(
    State(api): State<Api>,
    Reader(user): Reader,
    Asked(asked): Asked<ReadQr>,
) -> Said<QrBody> {
    let (name, number, amount) = read(&asked.qr)?;
    if let Ok(id) = name.parse::<PaymentId>() {
        let look = api.lane.read(|view| {
            let found = query::asked(view, user.as_str(), id)?;
            Ok((found, query::consent(view, id)?))
        });
        let (found, consent) = look.await?;
        let found = found.ok_or(Refused::NoSuchPayment)?;
        let expect = decimal(found.amount, found.currency);
        agrees((number, amount), found.currency, Some(expect))?;
        let payment = Box::new(PaymentBody::with(&found, consent.as_ref()));
        return Ok(Json(QrBody::Payment { payment }));
    }
    let look = api.lane.read(|view| query::merchant(view, &name));
    let found = look.await?.ok_or(Refused::NoSuchMerchant)?;
    agrees((number, amount), found.currency, None)?;
    if found.frozen {
        return Err(Refused::MerchantFrozen.into());
    }
    let merchant = ShownMerchantBody {
        merchant: found.id.to_string(),
        name: found.name,
        city: found.city,
        category: found.category,
        currency: found.currency.to_string(),
    };
    Ok(Json(QrBody::Merchant { merchant }))
}

/// Pay a merchant what you say: the money moves now.
#[utoipa::path(post, path = "/pay/v1/merchants/{merchant}/pay", tag = "pay: people", security(("person" = [])),
    params(("merchant" = String, Path), Key), request_body = PayMerchant,
    responses((status = 200, body = PaymentBody), Refusals))]
pub async fn pay(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
    Asked(asked): Asked<PayMerchant>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let note = text("note", asked.note)?;
    let merchant: MerchantId = name.parse().map_err(|_| Refused::NoSuchMerchant)?;
    let verb = Verb::PayMerchant {
        merchant,
        money,
        note,
    };
    api.pay(payer, key, verb).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimal_and_names_are_plain() {
        let of = |code: &str| code.parse::<Currency>().expect("a currency");
        for (minor, code, expect) in [
            (3_000, "KRW", "3000"),
            (5, "USD", "0.05"),
            (12_345, "USD", "123.45"),
            (1, "KWD", "0.001"),
        ] {
            assert_eq!(decimal(minor, of(code)), expect);
        }
        for (text, expect) in [
            ("Mina Bakery", "Mina Bakery"),
            ("미나 Bakery", "Bakery"),
            ("미나 빵집", "shop"),
            ("", "shop"),
            (
                "A name that is longer than it may be",
                "A name that is longer tha",
            ),
        ] {
            assert_eq!(plain(text, NAME, "shop"), expect);
        }
    }
}
