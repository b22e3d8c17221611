//! Passwords that are read, or made up.

use anyhow::{Context, Result, ensure};
use std::io::Read;

/// Letters and digits that nobody mistakes for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const GENERATED_LENGTH: usize = 20;

/// The password from the standard input, or one that is made up; and, where it is, that again, to be
/// printed this once.
pub fn get(stdin: bool) -> Result<(String, Option<String>)> {
    if stdin {
        return Ok((read()?, None));
    }
    let made_up = make_up()?;
    Ok((made_up.clone(), Some(made_up)))
}

fn read() -> Result<String> {
    let mut password = String::new();
    std::io::stdin()
        .read_to_string(&mut password)
        .context("the password cannot be read")?;
    let password = password.trim_end_matches(['\r', '\n']);
    ensure!(
        !password.is_empty(),
        "there is no password on the standard input"
    );
    Ok(password.to_owned())
}

/// 100 random bits in letters.
fn make_up() -> Result<String> {
    let mut random = [0; GENERATED_LENGTH];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_made_up_differ_and_can_be_read_aloud() {
        let (one, two) = (make_up().unwrap(), make_up().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), GENERATED_LENGTH);
        assert!(!one.contains(['l', 'o', '0', '1']));
    }
}
