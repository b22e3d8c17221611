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
    assert_snapshot!(told("# mine\nlog = 'info'\nlissten = '127.0.0.1:1'\n"), @"bongsu: FOLDER/bongsu.toml, line 3: unknown field `lissten`, expected one of `data`, `listen`, `server_name`, `registration`, `registration_token`, `public_base_url`, `max_upload_bytes`, `access_token_seconds`, `max_connections`, `canary_seconds`, `snapshot_every`, `log_format`, `log_level`, `otlp_endpoint`, `media_quota_bytes`, `open_media`, `presence`, `turn_uris`, `turn_secret`, `turn_seconds`, `retention_days`, `media_retention_days`, `data_centre`, `log`, `peer`, `peers`, `pay`, `support_page`, `support_email`, `support_user`, `url_previews`, `url_preview_allow_hosts`, `url_preview_deny_hosts`, `url_preview_allow_networks`, `url_preview_deny_networks`, `url_preview_ports`, `issuer`, `sign_in_key_file`, `client_registration`, `client_token_seconds`, `dpop_nonce`, `client_session_days`, `browser_session_days`, `logout_allow_networks`, `webhook_allow_networks`, `trusted_proxies`");
}

#[test]
fn a_wrong_value_names_its_line_and_what_was_expected() {
    assert_snapshot!(told("\nlisten = 'everywhere'\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 2: invalid socket address syntax
      listen: Address and port to serve on, such as 127.0.0.1:8008 or [::]:8008 [default: 127.0.0.1:8008]
    "#);
    assert_snapshot!(told("registration = 'opne'\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 1: unknown variant `opne`, expected one of `open`, `token`, `closed`
      registration: Who may sign up: everybody (open), whoever knows the token, or nobody (closed) [default: closed]
    "#);
    assert_snapshot!(told("server_name = 'two words'\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 1: `two words` is not a server name: expected a host name with an optional port
      server_name: Name of this installation in people's ids (@mina:NAME); can't be changed later [default: localhost]
    "#);
    assert_snapshot!(told("canary_seconds = 0\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 1: invalid value: integer `0`, expected a nonzero u32
      canary_seconds: How often each domain proves that it works, in seconds [default: 3]
    "#);
    assert_snapshot!(told("max_upload_bytes = 'many'\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 1: invalid type: string "many", expected a nonzero u64
      max_upload_bytes: Largest file that may be uploaded, in bytes [default: 52428800]
    "#);
}

#[test]
fn what_is_no_toml_names_its_line() {
    assert_snapshot!(told("log_level = 'info'\nlisten\n"), @r#"
    bongsu: FOLDER/bongsu.toml, line 2: key with no value, expected `=`
      listen: Address and port to serve on, such as 127.0.0.1:8008 or [::]:8008 [default: 127.0.0.1:8008]
    "#);
}

#[test]
fn what_contradicts_itself_is_told() {
    assert_snapshot!(told("registration = 'token'\n"), @"bongsu: registration is `token`, but there is no registration_token: give one, or choose `open` or `closed`");
    assert_snapshot!(told("log_level = 'loud,=='\n"), @"bongsu: log_level: `loud,==` is not a level such as `info` or `info,bongsu=debug`: invalid filter directive");
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml").display().to_string();
    assert_snapshot!(complaint(&["doctor", "--config", &path], folder.path()), @"bongsu: the configuration file FOLDER/none.toml cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_wrong_variable_is_named() {
    let output = bongsu(["serve"])
        .env("BONGSU_REGISTRATION", "opne")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_snapshot!(text(&output.stderr), @r#"
    bongsu: the environment's BONGSU_REGISTRATION: invalid value 'opne' for '--registration <WHO>' [possible values: open, token, closed]
      BONGSU_REGISTRATION: Who may sign up: everybody (open), whoever knows the token, or nobody (closed) [default: closed]
    "#);
}

#[test]
fn a_wrong_flag_is_named() {
    let output = run(&["serve", "--canary-seconds", "often"]);
    assert!(!output.status.success());
    assert_snapshot!(text(&output.stderr), @r#"
    error: invalid value 'often' for '--canary-seconds <SECONDS>': invalid digit found in string

    For more information, try '--help'.
    "#);
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
