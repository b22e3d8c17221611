//! Options that say several things at once.

use anyhow::{Result, anyhow};
use std::fmt::Display;
use std::str::FromStr;

/// What stands between the commas of the option `key`.
pub fn list<T>(key: &str, text: &Option<String>) -> Result<Vec<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let words = text.iter().flat_map(|text| text.split(','));
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            word.parse()
                .map_err(|error| anyhow!("{key}: `{word}` is not one: {error}"))
        })
        .collect()
}
