//! A data folder belongs to one process and one installation.

use crate::common::{Data, Server, complaint, good, poll};
use insta::assert_snapshot;

#[test]
fn a_second_process_is_refused_and_told_who_has_it() {
    let data = Data::new();
    let server = Server::start(&data.name(), &[]);
    let second = complaint(
        &["serve", "--data", &data.name(), "--listen", "127.0.0.1:0"],
        &data.path(),
    );
    let digits = |c: char| c.is_ascii_digit();
    let pid = second
        .split("process ")
        .nth(1)
        .unwrap()
        .split(|c| !digits(c))
        .next()
        .unwrap()
        .to_owned();
    assert_snapshot!(second.replace(&pid, "PID"), @"bongsu: the data folder FOLDER is in use by process PID (bongsu serve); stop that first, or name another folder with --data");
    assert!(complaint(&["verify", "--data", &data.name()], &data.path()).contains(&pid));
    server.stop();
    good(&["verify", "--data", &data.name()]);
}

#[test]
fn another_name_is_refused() {
    let data = Data::new();
    Server::start(&data.name(), &["--server-name", "one.test"]).stop();
    let serve = [
        "serve",
        "--data",
        &data.name(),
        "--listen",
        "127.0.0.1:0",
        "--server-name",
        "two.test",
    ];
    assert_snapshot!(complaint(&serve, &data.path()), @"bongsu: the data in FOLDER belong to the installation `one.test`, not `two.test`: people's ids carry that name, so it cannot be changed; name another folder with --data");
    Server::start(&data.name(), &[]).stop();
}

#[test]
fn a_restore_that_did_not_end_is_not_served() {
    let data = Data::new();
    std::fs::create_dir_all(data.path()).unwrap();
    std::fs::write(data.path().join("restoring"), "").unwrap();
    let serve = ["serve", "--data", &data.name(), "--listen", "127.0.0.1:0"];
    assert_snapshot!(complaint(&serve, &data.path()), @"bongsu: a restore into FOLDER did not come to its end; empty the folder and restore again");
}

#[test]
fn what_is_no_data_folder_is_said_to_be_none() {
    let data = Data::new();
    assert_snapshot!(complaint(&["verify", "--data", &data.name()], &data.path()), @"bongsu: there is no data folder FOLDER; name the server's data folder with --data, or its file with --config");
    let to = data.beside("backup");
    assert_snapshot!(complaint(&["backup", &to, "--data", &data.name()], &data.path()), @"bongsu: there is no data folder FOLDER; name the server's data folder with --data, or its file with --config");
    assert!(good(&["doctor", "--data", &data.name()]).contains("does not exist"));
}

/// What the doctor says, without the name of the data folder.
fn doctor(data: &Data) -> String {
    let said = good(&["doctor", "--data", &data.name()]);
    said.replace(&data.name(), "FOLDER")
}

#[test]
fn keys_of_sign_in_that_cannot_be_opened_are_seen() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    let all = "sign-in keys   4 of 4 can be used";
    poll("the keys are made", || {
        doctor(&data).contains(all).then_some(())
    });
    server.stop();
    assert!(doctor(&data).contains(all));
    let file = data.path().join("sign-in.key");
    let own = std::fs::read(&file).unwrap();
    std::fs::write(&file, "ab".repeat(32)).unwrap();
    let other = doctor(&data);
    assert!(
        other.contains("sign-in keys   0 of 4 can be used"),
        "{other}"
    );
    let advice = "are sealed under a key that is not in FOLDER/sign-in.key";
    assert!(other.contains(advice), "{other}");
    std::fs::remove_file(&file).unwrap();
    let missing = doctor(&data);
    assert!(missing.contains(advice), "{missing}");
    assert!(!file.exists(), "looking makes no key");
    std::fs::write(&file, "short").unwrap();
    let odd = doctor(&data);
    assert!(odd.contains("64 lower-case hexadecimal digits"), "{odd}");
    std::fs::write(&file, own).unwrap();
    assert!(doctor(&data).contains(all));
}
