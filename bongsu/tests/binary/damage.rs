//! What happens to logs and views, and what is said of it. Nothing acknowledged is ever cut off.

use crate::common::{Data, Server, complaint, good, run, text};
use bongsu_base::Seq;
use bongsu_log::Log;
use bongsu_log::sqlite::{Options, SqliteLog};
use std::path::Path;

/// A data folder with an account, closed in order.
fn installation() -> Data {
    let data = Data::new();
    let server = Server::ready(&data.name(), &[]);
    server.register("mina");
    assert!(server.stop().0.success());
    data
}

/// Changes one bit of the last place in the file where `needle` stands.
fn flip(file: &Path, needle: &[u8]) {
    let mut content = std::fs::read(file).unwrap();
    let at = content
        .windows(needle.len())
        .rposition(|window| window == needle)
        .expect("it stands there");
    content[at] ^= 1;
    std::fs::write(file, content).unwrap();
}

/// Changes one bit wherever `needle` stands in a view's file. Some of the places may hold what is left of
/// older rows, which nobody reads; one at least is alive.
fn flip_everywhere(view: &Path, needle: &[u8]) {
    // What still stands in the write-ahead log would hide the change.
    let db = rusqlite::Connection::open(view).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
        .unwrap();
    db.close().unwrap();
    let mut content = std::fs::read(view).unwrap();
    let places: Vec<usize> = (0..content.len())
        .filter(|at| content[*at..].starts_with(needle))
        .collect();
    assert!(!places.is_empty(), "it stands nowhere");
    for at in places {
        content[at] ^= 1;
    }
    std::fs::write(view, content).unwrap();
}

/// The number of the log's last entry.
fn last_entry(file: &Path, name: &str) -> Seq {
    let (log, opened) = SqliteLog::open(file, Options::new(name)).unwrap();
    drop(log);
    opened.bounds.last
}

fn refused(data: &Data) -> String {
    complaint(
        &["serve", "--data", &data.name(), "--listen", "127.0.0.1:0"],
        &data.path(),
    )
}

fn found(data: &Data) -> String {
    let output = run(&["verify", "--data", &data.name()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let said = text(&output.stdout).replace(&data.name(), "FOLDER");
    said.lines()
        .filter(|line| line.starts_with("PROBLEM"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_damaged_entry_that_was_applied_is_named_and_kept() {
    let data = installation();
    let log = data.path().join("log/identity.sqlite");
    let last = last_entry(&log, "identity");
    flip(&log, b"@mina:localhost");
    let problem = found(&data);
    assert!(
        problem.contains("the log FOLDER/log/identity.sqlite is damaged at entry"),
        "{problem}"
    );
    let refusal = refused(&data);
    assert!(
        refusal.contains("the log FOLDER/log/identity.sqlite is damaged at entry"),
        "{refusal}"
    );
    assert!(
        refusal.contains(&format!("the view has applied entry {last}")),
        "{refusal}"
    );
    assert!(refusal.contains("bongsu restore"), "{refusal}");
}

#[test]
fn a_damaged_end_that_nobody_was_told_of_is_cut_off() {
    let data = installation();
    let path = data.path().join("log/talk.sqlite");
    let (log, opened) = SqliteLog::open(&path, Options::new("talk")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(log.append("never applied".into()))
        .unwrap();
    drop(log);
    flip(&path, b"never applied");
    let problem = found(&data);
    assert!(
        problem.contains(&format!("damaged at entry {}", opened.bounds.last.next())),
        "{problem}"
    );
    let (_, said) = Server::ready(&data.name(), &[]).stop();
    assert!(said.contains("cut off the log's damaged end"), "{said}");
    good(&["verify", "--data", &data.name()]);
}

#[test]
fn a_damaged_end_is_kept_where_people_may_have_been_told_of_it() {
    for loss in ["the view is gone", "the machine stopped"] {
        let data = installation();
        let path = data.path().join("log/talk.sqlite");
        let (log, _) = SqliteLog::open(&path, Options::new("talk")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime
            .block_on(log.append("never applied".into()))
            .unwrap();
        drop(log);
        flip(&path, b"never applied");
        match loss {
            "the view is gone" => {
                std::fs::remove_file(data.path().join("view/talk.sqlite")).unwrap()
            }
            _ => std::fs::write(data.path().join("view/talk.open"), "an earlier start").unwrap(),
        }
        let refusal = refused(&data);
        assert!(
            refusal.contains("so it is not cut off") && refusal.contains("talk.sqlite"),
            "{loss}: {refusal}"
        );
    }
}

#[test]
fn a_log_that_lost_its_end_is_refused() {
    let data = installation();
    let log = data.path().join("log/identity.sqlite");
    let last = last_entry(&log, "identity");
    SqliteLog::cut_tail(&log, Seq(last.0 - 1)).unwrap();
    let problem = found(&data);
    assert!(
        problem.contains("acknowledged entries are missing"),
        "{problem}"
    );
    let refusal = refused(&data);
    assert!(
        refusal.contains("the log has lost entries that were acknowledged"),
        "{refusal}"
    );
}

#[test]
fn a_log_that_is_gone_is_not_begun_anew() {
    let data = installation();
    std::fs::remove_file(data.path().join("log/identity.sqlite")).unwrap();
    assert!(found(&data).contains("FOLDER/log/identity.sqlite: the log is missing"));
    let refusal = refused(&data);
    assert!(
        refusal.contains("the log FOLDER/log/identity.sqlite is missing"),
        "{refusal}"
    );
}

#[test]
fn a_view_that_is_gone_or_damaged_is_made_again() {
    for loss in ["gone", "damaged"] {
        let data = installation();
        let view = data.path().join("view/identity.sqlite");
        match loss {
            "gone" => std::fs::remove_file(&view).unwrap(),
            _ => flip_everywhere(&view, b"@mina:localhost"),
        }
        let problem = found(&data);
        assert!(
            problem.contains("FOLDER/view/identity.sqlite: "),
            "{problem}"
        );
        let server = Server::ready(&data.name(), &[]);
        assert_eq!(server.log_in("mina", "correct horse").0, 200, "{loss}");
        let (_, said) = server.stop();
        assert!(
            said.contains("made it again") || said.contains("began an empty view"),
            "{said}"
        );
        good(&["verify", "--data", &data.name()]);
    }
}

#[test]
fn a_view_whose_content_was_changed_by_hand_is_noticed() {
    let data = installation();
    let db = rusqlite::Connection::open(data.path().join("view/identity.sqlite")).unwrap();
    db.execute("UPDATE lane_outcome SET time = time + 1", ())
        .unwrap();
    drop(db);
    let problem = found(&data);
    assert!(problem.contains("its content has the digest"), "{problem}");
}
