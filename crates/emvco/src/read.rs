//! From text to a payload.

use crate::field::{is_amount, is_country, is_language, is_plain, is_text, take_apart};
use crate::{Account, Initiation, LONGEST, Localised, Payload, Refused, checksum};

/// The length of data object 63: id, length and four digits.
const CHECKSUM: usize = 8;

/// What `text` says.
pub fn read(text: &str) -> Result<Payload, Refused> {
    if text.chars().count() > LONGEST {
        return Err(Refused::TooLong);
    }
    let body = checked(text)?;
    let objects = take_apart(body)?;
    let find = |id: u8| {
        let found = objects.iter().find(|(known, _)| *known == id);
        found.map(|(_, value)| *value)
    };
    let need = |id: u8| find(id).ok_or(Refused::Missing(id));
    if objects.first() != Some(&(0, "01")) {
        return Err(Refused::Field(0));
    }
    let initiation = match find(1) {
        None | Some("11") => Initiation::Static,
        Some("12") => Initiation::Dynamic,
        Some(_) => return Err(Refused::Field(1)),
    };
    let country = need(58)?;
    let (reference, terminal) = find(62).map_or(Ok((None, None)), additional)?;
    Ok(Payload {
        initiation,
        accounts: accounts(&objects)?,
        category: number(52, need(52)?, 4)?,
        currency: number(53, need(53)?, 3)?,
        amount: find(54)
            .map(|amount| sound(54, amount, is_amount(amount)))
            .transpose()?,
        country: sound(58, country, is_country(country))?,
        name: plain(59, need(59)?, 25)?,
        city: plain(60, need(60)?, 15)?,
        reference,
        terminal,
        localised: find(64).map(localised).transpose()?,
    })
}

/// What stands before the checksum, if it fits.
fn checked(text: &str) -> Result<&str, Refused> {
    let at = text.len().checked_sub(CHECKSUM).ok_or(Refused::Checksum)?;
    let (body, last) = text.split_at_checked(at).ok_or(Refused::Checksum)?;
    let said = last.strip_prefix("6304").ok_or(Refused::Checksum)?;
    if checksum(&text[..at + 4]).eq_ignore_ascii_case(said) {
        Ok(body)
    } else {
        Err(Refused::Checksum)
    }
}

/// Who is paid: whatever has a scheme and a merchant among 26 to 51.
fn accounts(objects: &[(u8, &str)]) -> Result<Vec<Account>, Refused> {
    let mut found = Vec::new();
    for (id, value) in objects.iter().filter(|(id, _)| (26..=51).contains(id)) {
        let within = take_apart(value).map_err(|_| Refused::Field(*id))?;
        let part = |wanted| within.iter().find(|(part, _)| *part == wanted);
        if let (Some((_, scheme)), Some((_, merchant))) = (part(0), part(1)) {
            found.push(Account {
                scheme: plain(*id, scheme, 32)?,
                merchant: plain(*id, merchant, 50)?,
            });
        }
    }
    if found.is_empty() {
        return Err(Refused::Missing(26));
    }
    Ok(found)
}

/// Reference and till.
fn additional(value: &str) -> Result<(Option<String>, Option<String>), Refused> {
    let within = take_apart(value).map_err(|_| Refused::Field(62))?;
    let part = |wanted| {
        let found = within.iter().find(|(part, _)| *part == wanted);
        found.map(|(_, value)| plain(62, value, 25)).transpose()
    };
    Ok((part(5)?, part(7)?))
}

/// Name and city in another language.
fn localised(value: &str) -> Result<Localised, Refused> {
    let within = take_apart(value).map_err(|_| Refused::Field(64))?;
    let part = |wanted| {
        let found = within.iter().find(|(part, _)| *part == wanted);
        found.map(|(_, value)| *value)
    };
    let language = part(0).ok_or(Refused::Field(64))?;
    let name = part(1).ok_or(Refused::Field(64))?;
    Ok(Localised {
        language: sound(64, language, is_language(language))?,
        name: sound(64, name, is_text(name, 25))?,
        city: part(2)
            .map(|city| sound(64, city, is_text(city, 15)))
            .transpose()?,
    })
}

/// `value` as printable ASCII of at most `most` characters.
fn plain(id: u8, value: &str, most: usize) -> Result<String, Refused> {
    sound(id, value, is_plain(value, most))
}

/// `value` if it is `sound`.
fn sound(id: u8, value: &str, sound: bool) -> Result<String, Refused> {
    sound.then(|| value.to_owned()).ok_or(Refused::Field(id))
}

/// The number of exactly `width` digits that `value` is.
fn number(id: u8, value: &str, width: usize) -> Result<u16, Refused> {
    let digits = value.len() == width && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten();
    number.ok_or(Refused::Field(id))
}
