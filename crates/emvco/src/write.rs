//! From a payload to text.

use crate::field::{is_amount, is_country, is_language, is_plain, is_text, put};
use crate::{Account, Initiation, LONGEST, Localised, Payload, Refused, checksum};

/// The text of `payload`.
pub fn write(payload: &Payload) -> Result<String, Refused> {
    let mut text = String::new();
    put(&mut text, 0, "01")?;
    let initiation = match payload.initiation {
        Initiation::Static => "11",
        Initiation::Dynamic => "12",
    };
    put(&mut text, 1, initiation)?;
    accounts(&mut text, &payload.accounts)?;
    put(&mut text, 52, &digits(52, payload.category, 4)?)?;
    put(&mut text, 53, &digits(53, payload.currency, 3)?)?;
    if let Some(amount) = &payload.amount {
        checked(&mut text, 54, amount, is_amount(amount))?;
    }
    let country = &payload.country;
    checked(&mut text, 58, country, is_country(country))?;
    checked(&mut text, 59, &payload.name, is_plain(&payload.name, 25))?;
    checked(&mut text, 60, &payload.city, is_plain(&payload.city, 15))?;
    additional(&mut text, payload)?;
    if let Some(other) = &payload.localised {
        localised(&mut text, other)?;
    }
    text.push_str("6304");
    text.push_str(&checksum(&text));
    if text.chars().count() > LONGEST {
        return Err(Refused::TooLong);
    }
    Ok(text)
}

/// Adds who is paid, from 26 on.
fn accounts(text: &mut String, accounts: &[Account]) -> Result<(), Refused> {
    if accounts.is_empty() {
        return Err(Refused::Missing(26));
    }
    if accounts.len() > 26 {
        return Err(Refused::Field(51));
    }
    for (id, account) in (26..).zip(accounts) {
        let sound = is_plain(&account.scheme, 32) && is_plain(&account.merchant, 50);
        let mut within = String::new();
        if sound {
            put(&mut within, 0, &account.scheme)?;
            put(&mut within, 1, &account.merchant)?;
        }
        checked(text, id, &within, sound)?;
    }
    Ok(())
}

/// Adds reference and till, if there are any.
fn additional(text: &mut String, payload: &Payload) -> Result<(), Refused> {
    let mut within = String::new();
    for (id, value) in [(5, &payload.reference), (7, &payload.terminal)] {
        if let Some(value) = value {
            if !is_plain(value, 25) {
                return Err(Refused::Field(62));
            }
            put(&mut within, id, value)?;
        }
    }
    if within.is_empty() {
        return Ok(());
    }
    put(text, 62, &within)
}

/// Adds name and city in another language.
fn localised(text: &mut String, other: &Localised) -> Result<(), Refused> {
    let Localised {
        language,
        name,
        city,
    } = other;
    let sound = is_language(language)
        && is_text(name, 25)
        && city.as_ref().is_none_or(|city| is_text(city, 15));
    if !sound {
        return Err(Refused::Field(64));
    }
    let mut within = String::new();
    put(&mut within, 0, language)?;
    put(&mut within, 1, name)?;
    if let Some(city) = city {
        put(&mut within, 2, city)?;
    }
    put(text, 64, &within)
}

/// Adds `value` if it is `sound`.
fn checked(text: &mut String, id: u8, value: &str, sound: bool) -> Result<(), Refused> {
    if sound {
        put(text, id, value)
    } else {
        Err(Refused::Field(id))
    }
}

/// `number` in exactly `width` digits.
fn digits(id: u8, number: u16, width: usize) -> Result<String, Refused> {
    let text = format!("{number:0width$}");
    if text.len() == width {
        Ok(text)
    } else {
        Err(Refused::Field(id))
    }
}
