//! A process that is killed loses nothing it acknowledged.

use crate::common::{all, block_on, open};
use bongsu_base::Seq;
use bongsu_log::Log;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Names the log to the process that is to be killed.
const CHILD: &str = "BONGSU_TEST_LOG_TO_BE_KILLED";

/// Does nothing unless the test below starts it: then it appends and says what was acknowledged.
#[test]
fn a_process_to_be_killed() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    block_on(async {
        let log = Arc::new(open(Path::new(&path)));
        let appenders = (0..8).map(|appender| {
            let log = Arc::clone(&log);
            async move {
                for n in 0..20_000 {
                    let body = format!("{appender}-{n}-{}", "x".repeat(n % 500));
                    let seq = log.append(body.clone().into()).await.expect("appended");
                    writeln!(std::io::stdout(), "\nack {} {body}", seq).expect("heard");
                }
            }
        });
        futures_util::future::join_all(appenders).await;
    });
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut acknowledged = BTreeMap::new();
    for (round, acks) in [1, 50, 700].into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "kill::a_process_to_be_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut hear = |line: String| {
            let Some((seq, body)) = line
                .strip_prefix("ack ")
                .and_then(|ack| ack.split_once(' '))
            else {
                return false;
            };
            acknowledged.insert(seq.parse::<u64>().expect("a sequence"), body.to_owned());
            true
        };
        let mut heard = 0;
        while heard < acks {
            heard += usize::from(hear(lines.next().expect("more to come").expect("a line")));
        }
        child.kill().expect("killed");
        // What is still in the pipe was acknowledged, too; a last line may be half.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        for line in rest.into_iter().rev().skip(1) {
            hear(line);
        }
        assert!(
            !child.wait().expect("ended").success(),
            "round {round}: it was not killed"
        );

        let entries = block_on(async { all(&open(&path), Seq::ZERO).await });
        for (seq, body) in &acknowledged {
            let entry = entries.get(usize::try_from(*seq - 1).expect("small"));
            assert_eq!(
                entry.map(|entry| &entry.body[..]),
                Some(body.as_bytes()),
                "entry {seq}"
            );
        }
    }
}
