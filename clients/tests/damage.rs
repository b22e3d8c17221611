//! What is damaged on the disk is named; what can be made again from the log is made again.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Device, Message, Server};
use std::fs;
use std::path::{Path, PathBuf};

const MESSAGES: usize = 60;
/// The message whose bytes a test looks for in the log.
const MARKED: usize = 23;

/// A stopped server whose room holds some messages.
struct House {
    server: Server,
    alice: Device,
    room: String,
    before: Vec<Message>,
}

impl House {
    async fn with_messages() -> Result<Self> {
        let mut server = Server::start().await?;
        let alice = Device::register(&server.base_url(), "alice").await?;
        let room = alice.create_room().await?;
        for number in 0..MESSAGES {
            alice
                .send(&room, &format!("t{number}"), &text(number))
                .await?;
        }
        let before = alice.history(&room).await?;
        ensure!(
            before.len() == MESSAGES,
            "{} of {MESSAGES} messages were read",
            before.len()
        );
        server.stop().await?;
        let verified = server.command("verify")?;
        ensure!(
            verified.code == 0,
            "damaged from the start:\n{}",
            verified.text
        );
        Ok(Self {
            server,
            alice,
            room,
            before,
        })
    }

    fn file(&self, folder: &str) -> PathBuf {
        self.server.data_dir().join(folder).join("talk.sqlite")
    }

    /// `verify` says no, and names the file.
    fn ensure_verify_names(&self, folder: &str) -> Result<String> {
        let verified = self.server.command("verify")?;
        ensure!(
            verified.code == 1,
            "verify ended with {}:\n{}",
            verified.code,
            verified.text
        );
        ensure_contains(&verified.text, &format!("{folder}/talk.sqlite"))?;
        Ok(verified.text)
    }

    /// `serve` says no, and names the file.
    async fn ensure_serve_refuses(&mut self) -> Result<String> {
        let written = self.server.restart_refused().await?;
        ensure_contains(&written, "log/talk.sqlite")?;
        Ok(written)
    }

    /// After a start all messages are back, and nothing is damaged any more.
    async fn ensure_rebuilt(mut self) -> Result<()> {
        self.server.restart().await?;
        let after = self
            .alice
            .at(&self.server.base_url())
            .history(&self.room)
            .await?;
        ensure!(
            after == self.before,
            "{} of {MESSAGES} messages are back",
            after.len()
        );
        let again = self
            .alice
            .at(&self.server.base_url())
            .send(&self.room, "t0", &text(0))
            .await?;
        ensure!(
            again == self.before[0].id,
            "a repeat after the rebuild gave another event"
        );
        self.server.stop().await?;
        let verified = self.server.command("verify")?;
        ensure!(verified.code == 0, "still damaged:\n{}", verified.text);
        Ok(())
    }
}

fn text(number: usize) -> String {
    format!("the beacon at post {number:03} is lit")
}

fn ensure_contains(written: &str, wanted: &str) -> Result<()> {
    ensure!(
        written.contains(wanted),
        "`{wanted}` is not named in:\n{written}"
    );
    Ok(())
}

/// Moves what still lies in the write-ahead log into the file itself, so that damage there is seen.
fn settle(path: &Path) -> Result<()> {
    let database = rusqlite::Connection::open(path)?;
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    database.close().map_err(|(_, error)| error)?;
    Ok(())
}

#[tokio::test]
async fn a_flipped_byte_in_the_log_is_named_with_its_entry() -> Result<()> {
    let mut house = House::with_messages().await?;
    let path = house.file("log");
    settle(&path)?;
    let mut bytes = fs::read(&path)?;
    let marked = text(MARKED);
    let place = bytes
        .windows(marked.len())
        .position(|window| window == marked.as_bytes());
    bytes[place.context("the log does not hold the message's text")?] ^= 0x20;
    fs::write(&path, bytes)?;

    ensure_contains(&house.ensure_verify_names("log")?, "entry ")?;
    ensure_contains(&house.ensure_serve_refuses().await?, "entry ")
}

#[tokio::test]
async fn a_log_without_its_last_entries_is_named() -> Result<()> {
    let mut house = House::with_messages().await?;
    let log = rusqlite::Connection::open(house.file("log"))?;
    let cut = log.execute(
        "DELETE FROM entries WHERE seq > (SELECT max(seq) - 5 FROM entries)",
        [],
    )?;
    ensure!(cut == 5, "{cut} entries were cut off");
    log.close().map_err(|(_, error)| error)?;

    house.ensure_verify_names("log")?;
    house.ensure_serve_refuses().await?;
    Ok(())
}

#[tokio::test]
async fn a_truncated_log_file_is_named() -> Result<()> {
    let mut house = House::with_messages().await?;
    let path = house.file("log");
    settle(&path)?;
    let file = fs::File::options().write(true).open(&path)?;
    file.set_len(file.metadata()?.len() / 2)?;

    house.ensure_verify_names("log")?;
    house.ensure_serve_refuses().await?;
    Ok(())
}

#[tokio::test]
async fn a_deleted_view_is_named_and_built_again() -> Result<()> {
    let house = House::with_messages().await?;
    let path = house.file("view");
    settle(&path)?;
    fs::remove_file(&path)?;

    house.ensure_verify_names("view")?;
    house.ensure_rebuilt().await
}

#[tokio::test]
async fn a_corrupted_view_is_named_and_built_again() -> Result<()> {
    let house = House::with_messages().await?;
    let path = house.file("view");
    settle(&path)?;
    let mut bytes = fs::read(&path)?;
    // The first page stays, so that it still looks like a database; the head of every other is lost.
    for page in bytes.chunks_mut(4096).skip(1) {
        for byte in page.iter_mut().take(64) {
            *byte ^= 0xA5;
        }
    }
    fs::write(&path, bytes)?;

    house.ensure_verify_names("view")?;
    house.ensure_rebuilt().await
}

#[tokio::test]
async fn a_view_with_an_altered_message_is_named() -> Result<()> {
    let house = House::with_messages().await?;
    let path = house.file("view");
    settle(&path)?;
    let mut bytes = fs::read(&path)?;
    let marked = text(MARKED);
    let places: Vec<usize> = (0..bytes.len())
        .filter(|place| bytes[*place..].starts_with(marked.as_bytes()))
        .collect();
    ensure!(
        !places.is_empty(),
        "the view does not hold the message's text"
    );
    for place in places {
        bytes[place] ^= 0x20;
    }
    fs::write(&path, bytes)?;

    house.ensure_verify_names("view")?;
    Ok(())
}
