//! What goes on beside serving people where there are several data centres: the others are heard, and blobs
//! are kept whole.

use super::upgrade::activate;
use crate::health::Watch;
use crate::wiring::{Abroad, House, MEDIA, SNAPSHOTS};
use anyhow::{Context, Result};
use bongsu_media::{Plan, Repair};
use bongsu_peer::{Limits, Offer, Rights, Server, Status};
use bongsu_talk::NamedMedia;
use object_store::ObjectStore;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Begins, until `stopping` is true. The tasks end then; with one data centre alone there is none.
pub async fn begin(
    house: &House,
    snapshots: Arc<dyn ObjectStore>,
    health: Watch,
    stopping: watch::Receiver<bool>,
) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    if let Some(abroad) = &house.abroad {
        let server = hear(abroad, house, snapshots, health).await?;
        tasks.spawn(server.serve(stopping.clone()));
        let named = Arc::new(NamedMedia::new(house.talk.lane.clone()));
        let repair = Repair::new(house.media.clone(), named, Plan::default());
        tasks.spawn(repair.run(stopping.clone()));
        let peers = &abroad.peers;
        tasks.spawn(activate(&house.identity.lane, peers, stopping.clone()));
        tasks.spawn(activate(&house.talk.lane, peers, stopping.clone()));
        tasks.spawn(activate(&house.pay.lane, peers, stopping));
    }
    Ok(tasks)
}

/// Listens for the other data centres.
async fn hear(
    abroad: &Abroad,
    house: &House,
    snapshots: Arc<dyn ObjectStore>,
    health: Watch,
) -> Result<Server> {
    let offers = vec![
        Offer {
            name: SNAPSHOTS,
            store: snapshots,
            rights: Rights::Read,
        },
        Offer {
            name: MEDIA,
            store: house.media.shelf(),
            rights: Rights::ReadAndPut,
        },
    ];
    // The own name too, for the tools that look after this data centre.
    let admitted = abroad.sites.names().all;
    let status = Status::new(move || serde_json::to_value(health.site()).unwrap_or(Value::Null));
    let address = abroad.sites.peer.listen;
    Server::bind(
        address,
        &abroad.identity,
        &admitted,
        offers,
        status,
        Limits::default(),
    )
    .await
    .with_context(|| format!("other data centres cannot be heard at {address}"))
}
