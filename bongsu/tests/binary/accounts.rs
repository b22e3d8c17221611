//! `bongsu user add`, while the server runs and while it does not.

use crate::common::{Data, Server, bongsu, complaint, good, text};
use insta::assert_snapshot;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// The password that stands in what was printed.
fn password(said: &str) -> String {
    said.lines()
        .find_map(|line| line.strip_prefix("Its password, shown this once: "))
        .unwrap()
        .to_owned()
}

#[test]
fn an_account_made_while_it_runs_can_sign_in() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &["--server-name", "bongsu.test"]);
    let mode = std::fs::metadata(data.path().join("control.sock"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "for the owner alone");
    let said = good(&["user", "add", "mina", "--data", &data.name()]);
    assert!(said.contains("@mina:bongsu.test can sign in."), "{said}");
    let (status, answer) = server.log_in("mina", &password(&said));
    assert_eq!(
        (status, answer["user_id"].as_str()),
        (200, Some("@mina:bongsu.test"))
    );
    assert_eq!(server.log_in("mina", "wrong").0, 403);
    let again = complaint(
        &["user", "add", "mina", "--data", &data.name()],
        &data.path(),
    );
    assert_eq!(again, "bongsu: this user name is taken\n");
    let odd = complaint(
        &["user", "add", "mi na", "--data", &data.name()],
        &data.path(),
    );
    assert!(odd.contains("a user name has the characters"), "{odd}");
}

#[test]
fn an_account_made_while_nothing_runs_can_sign_in() {
    let data = Data::new();
    Server::start(&data.name(), &[]).stop();
    let said = good(&["user", "add", "bora", "--admin", "--data", &data.name()]);
    let again = complaint(
        &["user", "add", "bora", "--data", &data.name()],
        &data.path(),
    );
    assert_eq!(again, "bongsu: this user name is taken\n");
    let server = Server::ready(&data.name(), &[]);
    assert_eq!(server.log_in("bora", &password(&said)).0, 200);
}

#[test]
fn an_installation_is_never_made_by_administering() {
    let data = Data::new();
    let name = data.name();
    let add = ["user", "add", "mina", "--data", &name];
    assert_snapshot!(complaint(&add, &data.path()), @"bongsu: no server runs on FOLDER: there is no data folder FOLDER; name the server's data folder with --data, or its file with --config");
    assert!(!data.path().exists(), "nothing was made");
    std::fs::create_dir(data.path()).unwrap();
    let all: [&[&str]; 4] = [
        &["user", "add", "mina"],
        &[
            "client",
            "add",
            "shop",
            "--redirect-uri",
            "https://shop.example/in",
        ],
        &["pay", "merchant", "list"],
        &["audit"],
    ];
    for words in all {
        let said = complaint(&[words, &["--data", &name]].concat(), &data.path());
        assert_eq!(
            said,
            "bongsu: no server runs on FOLDER: FOLDER holds no data of Bongsu; name the server's data folder with --data, or its file with --config\n"
        );
        let left = std::fs::read_dir(data.path()).unwrap().count();
        assert_eq!(left, 0, "{words:?}: nothing was made");
    }
}

#[test]
fn a_password_can_be_given() {
    let data = Data::new();
    Server::start(&data.name(), &[]).stop();
    let add = [
        "user",
        "add",
        "mina",
        "--password-stdin",
        "--data",
        &data.name(),
    ];
    let mut child = bongsu(add)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"correct horse\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "@mina:localhost can sign in.\n");
    let server = Server::ready(&data.name(), &[]);
    assert_eq!(server.log_in("mina", "correct horse").0, 200);
    drop(server);
    let none = complaint(
        &[
            "user",
            "add",
            "bora",
            "--password-stdin",
            "--data",
            &data.name(),
        ],
        &data.path(),
    );
    assert!(none.contains("there is no password"), "{none}");
}
