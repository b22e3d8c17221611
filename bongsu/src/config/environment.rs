//! Options in the environment: `BONGSU_LISTEN` for `--listen`.

use super::Layer;
use anyhow::{Result, anyhow};
use clap::{Args, FromArgMatches};
use std::ffi::OsString;

const PREFIX: &str = "BONGSU_";

/// What the environment says. An error names the variable and what was expected.
pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Layer> {
    let options = || Layer::augment_args(clap::Command::new("bongsu").no_binary_name(true));
    let mut heard = Layer::default();
    for option in options().get_arguments() {
        let key = option.get_id().as_str();
        let name = format!("{PREFIX}{}", key.to_ascii_uppercase());
        let Some(value) = variable(&name) else {
            continue;
        };
        let mut flag = OsString::from(format!("--{}=", key.replace('_', "-")));
        flag.push(&value);
        let matches = options().try_get_matches_from([flag]);
        let layer = matches.and_then(|matches| Layer::from_arg_matches(&matches));
        heard = layer
            .map_err(|error| refused(&name, option, &error))?
            .or(heard);
    }
    Ok(heard)
}

fn refused(name: &str, option: &clap::Arg, error: &clap::Error) -> anyhow::Error {
    let text = error.to_string();
    // The lines that follow the first empty one say how to call the program, which is not the matter.
    let why: Vec<_> = text
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    let why = why.join(" ");
    let meaning = option
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    anyhow!(
        "the environment's {name}: {}\n  {name}: {meaning}",
        why.trim_start_matches("error: ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_names_its_variable_and_what_was_expected() {
        let check = |name: &str, value: &str, expect: &[&str]| {
            let error = read(|asked| (asked == name).then(|| value.into()))
                .unwrap_err()
                .to_string();
            for expect in expect.iter().chain([&name]) {
                assert!(error.contains(expect), "{error}");
            }
        };
        check(
            "BONGSU_LISTEN",
            "everywhere",
            &["everywhere", "127.0.0.1:8008"],
        );
        check(
            "BONGSU_REGISTRATION",
            "opne",
            &["opne", "open, token, closed"],
        );
        check("BONGSU_CANARY_SECONDS", "0", &["0", "seconds"]);
        check("BONGSU_SERVER_NAME", "a b", &["host name"]);
    }
}
