//! What an engine may do to a log, and who notices.

use super::servers::Servers;
use super::site::{ID, Site, all_to, failure, options};
use crate::common::append;
use bongsu_base::Seq;
use bongsu_log::jetstream::{Fault, JetstreamLog, OpenError, Origin, StreamId};
use bongsu_log::{AppendError, Log, ReadError};
use serde_json::{Value, json};

const STREAM: &str = "bongsu-talk-0-0";

/// Asks JetStream's API past the log.
async fn api(site: &Site, what: &str, request: Value) -> Value {
    let subject = format!("$JS.API.{what}.{STREAM}");
    let payload = request.to_string().into();
    let answer = site.nats.client().request(subject, payload).await;
    let answer: Value = serde_json::from_slice(&answer.expect("an answer").payload).expect("JSON");
    assert_eq!(answer.get("error"), None, "{what}");
    answer
}

/// The subject of the stream with this id.
fn subject(id: StreamId) -> String {
    format!("bongsu.log.talk.0.0.{id}")
}

/// Makes a stream as the log would, but one from which single messages may be deleted.
async fn create(site: &Site, id: StreamId) {
    let request = json!({
        "name": STREAM,
        "subjects": [subject(id)],
        "storage": "file",
        "num_replicas": 1,
        "allow_direct": true,
        "metadata": Origin::new(id).to_metadata(),
    });
    api(site, "STREAM.CREATE", request).await;
}

async fn with_ten(site: &Site) -> JetstreamLog {
    let log = site.open().await;
    for n in 1..=10u8 {
        append(&log, vec![n]).await;
    }
    all_to(&log, Seq(10)).await;
    log
}

/// The log has stopped: it takes nothing, reads what it has, and says why where that ends.
async fn is_stopped(log: &JetstreamLog, fault: &Fault) {
    let stopped = log.append("x".into()).await;
    assert!(
        matches!(&stopped, Err(AppendError::Stopped(why)) if *why == fault.to_string()),
        "{stopped:?}"
    );
    let entries = log.read(Seq::ZERO, 1 << 20).await.expect("read");
    assert_eq!(entries.len(), 10);
    log.wait(Seq(10)).await;
    let lost = log.read(Seq(10), 1).await;
    assert!(matches!(&lost, Err(ReadError::Lost(_))), "{lost:?}");
    assert!(fault.to_string().contains("bongsu restore-log"), "{fault}");
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_missed() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    api(&site, "STREAM.DELETE", json!({})).await;
    let fault = failure(&log).await;
    assert_eq!(fault, Fault::Gone { held: Seq(10) });
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_stream_that_was_made_anew_is_not_taken_for_the_old_one() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    api(&site, "STREAM.DELETE", json!({})).await;
    // As a site would that begins from nothing.
    create(&site, StreamId::from_bytes([2; 16])).await;
    let fault = failure(&log).await;
    assert_eq!(fault, Fault::Replaced { held: Seq(10) });
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_stream_that_lost_its_end_is_noticed_by_the_first_append() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let mut patient = options();
    // Only the append may tell.
    patient.pace.look_every = std::time::Duration::from_secs(3_600);
    let log = site.try_open(patient).await.expect("opened").0;
    for n in 1..=10u8 {
        append(&log, vec![n]).await;
    }
    all_to(&log, Seq(10)).await;
    api(&site, "STREAM.DELETE", json!({})).await;
    create(&site, ID).await;
    let stopped = log.append("x".into()).await;
    assert!(
        matches!(stopped, Err(AppendError::Stopped(_))),
        "{stopped:?}"
    );
    let fault = failure(&log).await;
    assert!(
        matches!(fault, Fault::Altered { seq: Seq(1), .. }),
        "{fault}"
    );
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_stream_that_lost_its_end_is_noticed_by_looking() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    api(&site, "STREAM.DELETE", json!({})).await;
    create(&site, ID).await;
    let fault = failure(&log).await;
    let (last, held) = (Seq(0), Seq(10));
    assert_eq!(fault, Fault::Shorter { last, held });
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_message_that_is_no_entry_stops_all_who_meet_it() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    let client = site.nats.client();
    client
        .request(subject(ID), "altered".into())
        .await
        .expect("taken");
    let fault = failure(&log).await;
    assert!(
        matches!(fault, Fault::Altered { seq: Seq(11), .. }),
        "{fault}"
    );
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_message_that_was_altered_after_it_was_copied_is_found() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    let mut messages = Vec::new();
    for seq in 1..=10 {
        let got = site.engine().get(log.origin(), seq).await.expect("asked");
        messages.push(got.expect("there").payload);
    }
    // The same messages once more, but two of them in each other's place.
    messages.swap(3, 6);
    api(&site, "STREAM.DELETE", json!({})).await;
    create(&site, ID).await;
    for message in messages {
        let client = site.nats.client();
        client.request(subject(ID), message).await.expect("taken");
    }
    let fault = failure(&log).await;
    assert!(matches!(fault, Fault::Altered { .. }), "{fault}");
    is_stopped(&log, &fault).await;
}

#[tokio::test]
async fn a_message_that_was_removed_is_a_wound_where_it_is_held_and_the_end_where_not() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    create(&site, ID).await;
    let log = with_ten(&site).await;
    let wound = log.health().borrow().wound.clone().expect("a wound");
    assert!(wound.contains("single messages be deleted"), "{wound}");
    api(&site, "STREAM.MSG.DELETE", json!({ "seq": 4 })).await;
    let mut health = log.health();
    health
        .wait_for(|health| {
            let wound = health.wound.as_deref().unwrap_or_default();
            wound.contains("1 entries were removed") || wound.contains("lost entry 4")
        })
        .await
        .expect("noticed");
    append(&log, "x").await;
    assert_eq!(all_to(&log, Seq(11)).await.len(), 11, "this site goes on");

    let mut there = Site::new(&servers, 0, "talk").await;
    there.path.set_extension("there");
    let Err(error) = there.try_open(options()).await else {
        panic!("it opened");
    };
    let hole = Fault::Hole { seq: Seq(4) };
    assert!(
        matches!(&error, OpenError::Fault(fault) if *fault == hole),
        "{error}"
    );
}

#[tokio::test]
async fn messages_of_a_log_cannot_be_deleted() {
    let servers = Servers::start(1);
    let site = Site::new(&servers, 0, "talk").await;
    let log = with_ten(&site).await;
    let subject = format!("$JS.API.STREAM.MSG.DELETE.{STREAM}");
    let request = json!({ "seq": 4 }).to_string().into();
    let answer = site.nats.client().request(subject, request).await;
    let answer: Value = serde_json::from_slice(&answer.expect("an answer").payload).expect("JSON");
    assert_eq!(answer["error"]["err_code"], 10_057);
    assert_eq!(log.health().borrow().wound, None);
}
