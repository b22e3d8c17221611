//! One data object: id, length in characters, value.

use crate::Refused;

/// Adds the data object `id` with `value` to `text`.
pub fn put(text: &mut String, id: u8, value: &str) -> Result<(), Refused> {
    let length = value.chars().count();
    if !(1..=99).contains(&length) {
        return Err(Refused::Field(id));
    }
    text.push_str(&format!("{id:02}{length:02}{value}"));
    Ok(())
}

/// The data objects of `text` by id, none of which may stand there twice.
pub fn take_apart(text: &str) -> Result<Vec<(u8, &str)>, Refused> {
    let mut found: Vec<(u8, &str)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (id, after) = number(rest)?;
        let (length, after) = number(after)?;
        let end = match after.char_indices().nth(length.into()) {
            Some((end, _)) => end,
            None if after.chars().count() == usize::from(length) => after.len(),
            None => return Err(Refused::Structure),
        };
        if found.iter().any(|(known, _)| *known == id) {
            return Err(Refused::Twice(id));
        }
        let (value, after) = after.split_at(end);
        found.push((id, value));
        rest = after;
    }
    Ok(found)
}

/// The two digits that `text` begins with, and what follows.
fn number(text: &str) -> Result<(u8, &str), Refused> {
    let digits = text.get(..2).ok_or(Refused::Structure)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refused::Structure);
    }
    let number = digits.parse().map_err(|_| Refused::Structure)?;
    Ok((number, &text[2..]))
}

/// Whether `text` is printable ASCII of 1 to `most` characters.
pub fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether `text` has 1 to `most` characters, of any script, none of which is a control character.
pub fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Whether `text` is the two capital letters of a country.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether `text` is the two small letters of a language.
pub fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether `text` is an amount: digits with at most one point, which digits surround; 1 to 13 characters.
pub fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let sound = match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    };
    sound && text.len() <= 13
}
