//! A backup, taken while the server runs or not, becomes the same installation again.

use crate::common::{Answer, Data, Server, complaint, good, run, text};
use serde_json::json;
use std::path::{Path, PathBuf};

fn upload(server: &Server, token: &str, content: &[u8]) -> String {
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("content-type", "image/png"),
    ];
    let answer = server.ask(
        "POST",
        "/_matrix/media/v3/upload?filename=a.png",
        &headers,
        content,
    );
    assert_eq!(answer.status, 200, "{}", answer.body());
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    answer["content_uri"].as_str().unwrap().to_owned()
}

fn download(server: &Server, token: &str, uri: &str) -> Answer {
    let path = format!(
        "/_matrix/client/v1/media/download/{}",
        uri.trim_start_matches("mxc://")
    );
    server.ask(
        "GET",
        &path,
        &[("authorization", &format!("Bearer {token}"))],
        b"",
    )
}

/// The one file below `folder` whose name ends so.
fn file(folder: &Path, ending: &str) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.display().to_string().ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert_eq!(found.len(), 1, "{ending}: {found:?}");
    found.remove(0)
}

#[test]
fn what_was_there_is_there_again() {
    let data = Data::new();
    let backup = data.beside("backup");
    let server = Server::ready(&data.name(), &["--server-name", "bongsu.test"]);
    let token = server.register("mina");
    let room = server.matrix(
        "POST",
        "/_matrix/client/v3/createRoom",
        &token,
        &json!({ "name": "Pangyo" }),
    );
    let room = room["room_id"].as_str().unwrap();
    let send = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/t1");
    let message = json!({ "msgtype": "m.text", "body": "the fire is lit" });
    let sent = server.matrix("PUT", &send, &token, &message);
    let picture = upload(&server, &token, b"a picture");
    let said = good(&["backup", &backup, "--data", &data.name()]);
    assert!(said.contains("is whole: 1 media files."), "{said}");

    // Later than that backup, and in the one after it, taken while nothing runs.
    let later = upload(&server, &token, b"another picture");
    assert!(server.stop().0.success());
    good(&["backup", &backup, "--data", &data.name()]);

    let again = data.beside("again");
    let said = good(&["restore", &backup, "--data", &again]);
    assert!(
        said.contains("`bongsu.test`") && said.contains("media: 2 files"),
        "{said}"
    );
    let last = format!("Start it with: bongsu serve --data {again}\n");
    assert!(said.ends_with(&last), "{said}");
    let verified = good(&["verify", "--data", &again]);
    assert!(
        verified.contains("Everything is as it was written."),
        "{verified}"
    );
    let server = Server::ready(&again, &[]);
    assert_eq!(
        server.matrix("PUT", &send, &token, &message),
        sent,
        "a repeat has the same answer"
    );
    for (uri, content) in [(picture, "a picture"), (later, "another picture")] {
        let answer = download(&server, &token, &uri);
        assert_eq!((answer.status, answer.body()), (200, content.to_owned()));
    }
    server.register("bora");
    assert!(server.stop().0.success());
    let verified = good(&["verify", "--data", &again]);
    assert!(
        verified.contains("applied again, gives the same state"),
        "{verified}"
    );
}

#[test]
fn it_is_restored_into_an_empty_folder_alone() {
    let data = Data::new();
    let backup = data.beside("backup");
    Server::start(&data.name(), &[]).stop();
    good(&["backup", &backup, "--data", &data.name()]);
    let error = complaint(&["restore", &backup, "--data", &data.name()], &data.path());
    assert!(error.starts_with("bongsu: FOLDER is not empty"), "{error}");
    let other = Data::new();
    Server::start(&other.name(), &["--server-name", "other.test"]).stop();
    let error = complaint(&["backup", &backup, "--data", &other.name()], &data.path());
    assert!(
        error.contains("holds a backup of the installation `localhost`, not of `other.test`"),
        "{error}"
    );
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_nothing_that_would_be_served() {
    for ending in ["manifest.json", ".sqlite", "blobs"] {
        let data = Data::new();
        let backup = data.beside("backup");
        let server = Server::ready(&data.name(), &[]);
        let token = server.register("mina");
        upload(&server, &token, b"a picture");
        server.stop();
        good(&["backup", &backup, "--data", &data.name()]);
        let root = Path::new(&backup);
        let damaged = match ending {
            "manifest.json" => root.join(ending),
            "blobs" => file(&root.join("media/blobs"), ""),
            ending => file(&root.join("snapshots/talk"), ending),
        };
        let mut content = std::fs::read(&damaged).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        std::fs::write(&damaged, content).unwrap();
        let again = data.beside("again");
        let output = run(&["restore", &backup, "--data", &again]);
        assert!(
            !output.status.success(),
            "{ending}: {}",
            text(&output.stdout)
        );
        let left = Path::new(&again);
        assert!(
            !left.exists() || left.join("restoring").exists(),
            "{ending}: it would be taken for whole"
        );
    }
}

/// Makes of a backup's manifest one of a release that knew no money.
fn forget_pay(manifest: &Path) {
    let pretty = std::fs::read_to_string(manifest).unwrap();
    let compact: String = pretty
        .lines()
        .map(|line| line.trim().replacen("\": ", "\":", 1))
        .collect();
    let contents = compact.strip_prefix("{\"contents\":").unwrap();
    let (contents, _) = contents.rsplit_once(",\"blake3\"").unwrap();
    let (before, lanes) = contents.split_once("\"lanes\":[").unwrap();
    let (pay, others) = lanes.split_once("},").unwrap();
    assert!(pay.contains("\"pay\""), "{pay}");
    let contents = format!("{before}\"lanes\":[{others}");
    let hash = blake3::hash(contents.as_bytes());
    let older = format!("{{\"contents\":{contents},\"blake3\":\"{hash}\"}}");
    std::fs::write(manifest, older).unwrap();
}

#[test]
fn a_backup_from_before_there_was_money_begins_with_none() {
    let data = Data::new();
    let (backup, again) = (data.beside("backup"), data.beside("again"));
    let server = Server::ready(&data.name(), &[]);
    let token = server.register("mina");
    assert!(server.stop().0.success());
    good(&["backup", &backup, "--data", &data.name()]);
    let root = Path::new(&backup);
    forget_pay(&root.join("manifest.json"));
    std::fs::remove_dir_all(root.join("snapshots/pay")).unwrap();
    good(&["restore", &backup, "--data", &again]);
    let server = Server::ready(&again, &[]);
    let bearer = format!("Bearer {token}");
    let answer = server.ask("GET", "/pay/v1/wallet", &[("authorization", &bearer)], &[]);
    assert_eq!((answer.status, answer.body()), (200, "[]".to_owned()));
    assert!(server.stop().0.success());
    good(&["verify", "--data", &again]);
}
