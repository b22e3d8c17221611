//! Administering from the command line, while the server runs and while it does not, and over HTTP.

use crate::common::{Data, Server, complaint, good, poll};
use serde_json::{Value, json};

/// What a verb says as JSON.
fn told(data: &Data, arguments: &[&str]) -> Value {
    let name = data.name();
    let more = ["--json", "--data", &name];
    let said = good(&[arguments, &more].concat());
    serde_json::from_str(&said).unwrap()
}

fn done(data: &Data, arguments: &[&str]) -> String {
    let name = data.name();
    good(&[arguments, &["--data", &name]].concat())
}

fn refused(data: &Data, arguments: &[&str]) -> String {
    let name = data.name();
    complaint(&[arguments, &["--data", &name]].concat(), &data.path())
}

/// A room that mina makes and jun joins.
fn room(server: &Server, mina: &str, jun: &str) -> String {
    let create = json!({ "preset": "public_chat" });
    let made = server.matrix("POST", "/_matrix/client/v3/createRoom", mina, &create);
    let room = made["room_id"].as_str().unwrap().to_owned();
    let join = format!("/_matrix/client/v3/rooms/{room}/join");
    server.matrix("POST", &join, jun, &json!({}));
    room
}

fn say(server: &Server, token: &str, room: &str, body: &str) -> String {
    let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{body}");
    let content = json!({ "msgtype": "m.text", "body": body });
    let sent = server.matrix("PUT", &path, token, &content);
    sent["event_id"].as_str().unwrap().to_owned()
}

fn status(server: &Server, token: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    server.ask("GET", path, &headers, b"").status
}

/// Administers a server that runs and stops it; gives a room and the tokens of mina and jun.
fn while_it_runs(data: &Data) -> (String, String, String) {
    let server = Server::ready(&data.name(), &[]);
    let (mina, jun) = (server.register("mina"), server.register("jun"));
    let room = room(&server, &mina, &jun);
    let event = say(&server, &jun, &room, "rude");
    let report = format!("/_matrix/client/v3/rooms/{room}/report/{event}");
    server.matrix("POST", &report, &mina, &json!({ "reason": "rude" }));
    assert!(done(data, &["user", "list"]).contains("@mina:localhost"));
    assert!(done(data, &["room", "list"]).contains(&room));
    let reports = told(data, &["report", "list"]);
    let number = reports[0]["report"].to_string();
    done(
        data,
        &["report", "resolve", &number, "--reason", "spoke to Jun"],
    );
    assert_eq!(told(data, &["report", "list"]), json!([]));
    let said = done(data, &["user", "lock", "jun", "--reason", "rude"]);
    assert_eq!(said, "jun is locked.\n");
    let (code, answer) = server.log_in("jun", "correct horse");
    assert_eq!((code, &answer["errcode"]), (401, &json!("M_USER_LOCKED")));
    let said = refused(data, &["user", "lock", "nobody"]);
    assert_eq!(said, "bongsu: there is no such account\n");
    let shut = [
        "room",
        "shutdown",
        &room,
        "--notice",
        "Closed.",
        "--replace",
    ];
    let new = told(data, &shut);
    assert!(new["replacement"].is_string());
    let shown = told(data, &["room", "show", &room]);
    assert_eq!(
        (&shown["joined_members"], &shown["blocked"]),
        (&json!(0), &json!(true))
    );
    server.stop();
    (room, mina, jun)
}

#[test]
fn everything_can_be_done_while_the_server_runs_and_while_it_does_not() {
    let data = Data::new();
    let (room, mina, jun) = while_it_runs(&data);
    done(&data, &["user", "unlock", "jun"]);
    done(&data, &["user", "make-admin", "mina"]);
    let purged = done(&data, &["room", "purge", &room, "--reason", "asked to"]);
    assert_eq!(purged, format!("{room} is deleted.\n"));
    let none = refused(&data, &["room", "show", &room]);
    assert!(none.contains("there is no room"), "{none}");
    let audit = told(&data, &["audit"]);
    let acts: Vec<_> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["act"])
        // The server makes its keys when it has begun to serve.
        .filter(|act| *act != "key.add")
        .collect();
    let expect = [
        "room.purge",
        "user.make-admin",
        "user.unlock",
        "room.shutdown",
        "user.lock",
        "report.resolve",
    ];
    assert_eq!(acts, expect);
    // Who it was is known by the socket, and without a server by the process itself.
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).unwrap();
    let who = user.map_or(format!("operator uid {uid}"), |user| {
        format!("operator {} (uid {uid})", user.name)
    });
    for act in ["user.lock", "user.unlock", "room.shutdown", "room.purge"] {
        let mut lines = audit.as_array().unwrap().iter();
        let line = lines.find(|line| line["act"] == act).unwrap();
        assert_eq!(line["who"], who.as_str(), "{act}");
    }
    assert!(done(&data, &["audit"]).contains("asked to"));
    let checked = done(&data, &["audit", "--check"]);
    // Three that were done here, and the keys that the server made for itself.
    let lines = checked.split_once("identity: ").expect("a count").1;
    let lines = lines.split(' ').next().and_then(|count| count.parse().ok());
    assert!(lines.is_some_and(|lines: u32| lines >= 3), "{checked}");
    let verified = good(&["verify", "--data", &data.name()]);
    assert!(
        verified.contains("the audit log of talk: 3 lines"),
        "{verified}"
    );

    let server = Server::ready(&data.name(), &[]);
    assert_eq!(server.log_in("jun", "correct horse").0, 200);
    assert_eq!(status(&server, &mina, "/admin/v1/rooms"), 200);
    assert_eq!(status(&server, &jun, "/admin/v1/rooms"), 403);
}

#[test]
fn a_changed_audit_log_is_noticed() {
    let data = Data::new();
    Server::start(&data.name(), &[]).stop();
    done(&data, &["user", "add", "mina"]);
    done(&data, &["user", "suspend", "mina"]);
    let view = rusqlite::Connection::open(data.path().join("view/identity.sqlite")).unwrap();
    view.execute("UPDATE audit SET who = '@jun:localhost' WHERE n = 1", ())
        .unwrap();
    drop(view);
    let output = crate::common::run(&["verify", "--data", &data.name()]);
    let said = crate::common::text(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("identity.sqlite"), "{said}");
}

#[test]
fn what_a_room_keeps_for_a_second_is_gone_by_itself() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &["--canary-seconds", "1"]);
    let (mina, jun) = (server.register("mina"), server.register("jun"));
    let room = room(&server, &mina, &jun);
    let event = say(&server, &jun, &room, "whisper");
    let path = format!("/_matrix/client/v3/rooms/{room}/event/{event}");
    assert_eq!(status(&server, &mina, &path), 200);
    let keep = format!("/_matrix/client/v3/rooms/{room}/state/m.room.retention/");
    server.matrix("PUT", &keep, &mina, &json!({ "max_lifetime": 1_000 }));
    poll("the message is purged", || {
        (status(&server, &mina, &path) == 404).then_some(())
    });
    let metrics = poll("the disk is measured", || {
        let metrics = server.get("/metrics").body();
        metrics
            .contains("bongsu_disk_bytes{part=\"media\"}")
            .then_some(metrics)
    });
    for part in ["log", "view", "snapshots"] {
        let name = format!("bongsu_disk_bytes{{part=\"{part}\"}}");
        assert!(metrics.contains(&name), "{metrics}");
    }
}

#[test]
fn a_retention_that_is_configured_is_in_force_and_in_the_audit_log() {
    let data = Data::new();
    let days = ["--retention-days", "30", "--media-retention-days", "7"];
    let server = Server::ready(&data.name(), &days);
    let line = poll("the policy is set", || {
        let audit = told(&data, &["audit"]);
        let mut lines = audit.as_array().into_iter().flatten();
        lines.find(|line| line["act"] != "key.add").cloned()
    });
    assert_eq!(line["act"], "retention.set");
    assert_eq!(line["target"], "events 2592000000 ms, media 604800000 ms");
    drop(server);
}

#[test]
fn an_erased_account_leaves_nothing_of_what_it_said() {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    let (mina, jun) = (server.register("mina"), server.register("jun"));
    let room = room(&server, &mina, &jun);
    let event = say(&server, &jun, &room, "secret");
    done(&data, &["user", "deactivate", "jun", "--erase"]);
    assert_eq!(server.log_in("jun", "correct horse").0, 403);
    let path = format!("/_matrix/client/v3/rooms/{room}/event/{event}");
    poll("the message is shown as redacted", || {
        let shown = server.matrix("GET", &path, &mina, &json!({}));
        (shown["content"] == json!({})).then_some(())
    });
    let none = refused(&data, &["user", "lock", "jun"]);
    assert_eq!(none, "bongsu: this account has been deactivated\n");
}
