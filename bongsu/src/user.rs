//! `bongsu user add`: making an account, whether the server runs or not.

use crate::cli::AddUser;
use crate::config::Config;
use crate::control::client::Control;
use crate::control::{MadeUser, NewUser};
use crate::data::{DataDir, Installation, Lock};
use crate::say;
use crate::wiring::{self, Abroad, OpenLane, Pace};
use anyhow::{Context, Result, ensure};
use bongsu_identity::Identity;
use std::io::Read;

/// Letters and digits that nobody mistakes for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const GENERATED_LENGTH: usize = 20;

/// Makes the account; a password that was made up is printed, this once.
pub async fn add(asked: &AddUser, config: &Config) -> Result<()> {
    let (password, made_up) = if asked.password_stdin {
        (read_password()?, false)
    } else {
        (make_up_password()?, true)
    };
    let new = NewUser {
        name: asked.name.clone(),
        password,
        admin: asked.admin,
    };
    let data = DataDir::new(&config.data);
    let made = match Control::connect(&data.control_socket()).await? {
        Some(mut control) => control.post("/control/v1/users", &new).await?,
        None => add_offline(&data, config, &new).await?,
    };
    say::line(format_args!("{} can sign in.", made.user_id));
    if made_up {
        say::line(format_args!(
            "Its password, shown this once: {}",
            new.password
        ));
    }
    Ok(())
}

/// Opens the data folder and makes the account there.
async fn add_offline(data: &DataDir, config: &Config, new: &NewUser) -> Result<MadeUser> {
    data.create()?;
    data.expect()?;
    let lock = Lock::take(data, "user add")?;
    let installation = Installation::settle(data, config.server_name.as_ref())?;
    let abroad = Abroad::of(config).await?;
    let identity = OpenLane::<Identity>::open(data, &Pace::from(config), abroad.as_ref()).await?;
    let accounts = wiring::accounts(&identity, config, &installation.server_name)?;
    let made = accounts.create(&new.name, &new.password, new.admin).await;
    drop(accounts);
    identity.close().await?;
    drop(lock);
    Ok(MadeUser {
        user_id: made?.to_string(),
    })
}

fn read_password() -> Result<String> {
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
fn make_up_password() -> Result<String> {
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
        let (one, two) = (make_up_password().unwrap(), make_up_password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), GENERATED_LENGTH);
        assert!(!one.contains(['l', 'o', '0', '1']));
    }
}
