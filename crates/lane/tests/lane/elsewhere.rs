//! A data centre that has nothing begins from what another one offers.

use crate::tally::Place;
use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{Options, View};
use bongsu_peer::{Authority, Identity, Limits, Offer, Patience, Peer, Rights, Server, Status};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

#[expect(
    clippy::disallowed_methods,
    reason = "TLS looks at the machine's clock, so the certificates of a test do, too"
)]
fn identity(authority: &Authority, name: &str) -> Identity {
    let hour = Duration::from_secs(60 * 60);
    let name = name.parse().expect("it is a name");
    let issued = authority.issue(&name, SystemTime::now(), hour);
    issued.expect("issued").identity().expect("well-formed")
}

#[expect(clippy::disallowed_methods, reason = "as above")]
fn authority() -> Authority {
    Authority::create(SystemTime::now()).expect("made")
}

fn options(place: &Place, site: &str, store: Arc<dyn ObjectStore>) -> Options {
    Options {
        snapshots: Some(Snapshots::new(store, "tally")),
        ..place.options(site)
    }
}

#[tokio::test]
async fn a_view_is_made_from_another_data_centres_snapshot() {
    let place = Place::new();
    let own: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let seoul = place.open_with(options(&place, "a", own.clone())).await;
    let seoul = seoul.expect("opens");
    seoul.add(1, "tea", 1).await;
    let taken = seoul.lane.snapshot().await.expect("taken");
    let taken = taken.expect("there is a store");
    seoul.add(2, "tea", 1).await;
    let end = seoul.lane.progress().chain.seq;

    let authority = authority();
    let offer = Offer {
        name: "snapshots",
        store: own,
        rights: Rights::Read,
    };
    let server = Server::bind(
        ([127, 0, 0, 1], 0).into(),
        &identity(&authority, "seoul"),
        &["busan".parse().expect("it is a name")],
        vec![offer],
        Status::new(|| serde_json::Value::Null),
        Limits::default(),
    )
    .await
    .expect("it listens");
    let address = server.address().expect("it listens").to_string();
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(server.serve(stopping));

    let busan = identity(&authority, "busan");
    let name = "seoul".parse().expect("it is a name");
    let peer = Peer::new(&busan, name, &address, Patience::default()).expect("well-formed");
    let theirs = options(&place, "b", peer.store("snapshots"));
    let busan = place.open_with(theirs).await.expect("opens");
    assert_eq!(busan.how, View::Restored(taken.seq, None));
    let reached = busan.lane.reach(end, Duration::from_secs(60)).await;
    reached.expect("it comes");
    assert_eq!(busan.amount("tea").await, 2);
    busan.close().await;
    seoul.close().await;
    stop.send_replace(true);
    serving.await.expect("it ends");
}
