//! What the operator decides, and what a mistake is told.

use crate::common::{bongsu, complaint, run, text};
use insta::assert_snapshot;

/// What a configuration file with this text is told.
fn told(file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bongsu.toml");
    std::fs::write(&path, file).unwrap();
    let data = folder.path().join("data").display().to_string();
    complaint(
        &[
            "serve",
            "--data",
            &data,
            "--config",
            &path.display().to_string(),
        ],
        folder.path(),
    )
}

#[test]
fn a_wrong_key_names_its_line_and_the_right_ones() {
    assert_snapshot!(told("# mine\nlog = 'info'\nlissten = '127.0.0.1:1'\n"), @"");
}

#[test]
fn a_wrong_value_names_its_line_and_what_was_expected() {
    assert_snapshot!(told("\nlisten = 'everywhere'\n"), @"");
    assert_snapshot!(told("registration = 'opne'\n"), @"");
    assert_snapshot!(told("server_name = 'two words'\n"), @"");
    assert_snapshot!(told("canary_seconds = 0\n"), @"");
    assert_snapshot!(told("max_upload_bytes = 'many'\n"), @"");
}

#[test]
fn what_is_no_toml_names_its_line() {
    assert_snapshot!(told("log = 'info'\nlisten\n"), @"");
}

#[test]
fn what_contradicts_itself_is_told() {
    assert_snapshot!(told("registration = 'token'\n"), @"");
    assert_snapshot!(told("log = 'loud,=='\n"), @"");
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml").display().to_string();
    assert_snapshot!(complaint(&["doctor", "--config", &path], folder.path()), @"");
}

#[test]
fn a_wrong_variable_is_named() {
    let output = bongsu(["serve"])
        .env("BONGSU_REGISTRATION", "opne")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_snapshot!(text(&output.stderr), @"");
}

#[test]
fn a_wrong_flag_is_named() {
    let output = run(&["serve", "--canary-seconds", "often"]);
    assert!(!output.status.success());
    assert_snapshot!(text(&output.stderr), @"");
}

#[test]
fn the_help_shows_how_to_begin() {
    let help = text(&run(&["--help"]).stdout);
    for expected in [
        "bongsu serve --registration open",
        "bongsu user add mina",
        "BONGSU_LISTEN",
    ] {
        assert!(help.contains(expected), "{help}");
    }
    let serve = text(&run(&["serve", "--help"]).stdout);
    for expected in [
        "--server-name",
        "can't be changed later",
        "[default: 127.0.0.1:8008]",
        "Examples:",
    ] {
        assert!(serve.contains(expected), "{serve}");
    }
}
