//! `bongsu serve`: everything opened, served until it is told to stop, and closed.

mod abroad;
mod again;
mod connections;
mod cors;
mod ending;
mod freshness;
mod greeting;
mod living;
mod proxies;
mod router;
mod upgrade;

pub use living::{__path_data_centres, DataCentres, data_centres};

use crate::config::Config;
use crate::control::{self, who};
use crate::data::{DataDir, Installation, Lock, write_whole};
use crate::health::{self, READY, Watch};
use crate::metrics::{self, Ages, Disk, HttpMetrics, Metrics};
use crate::page::Page;
use crate::telemetry::Telemetry;
use crate::wiring::{House, snapshot_store};
use anyhow::{Context, Result};
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use bongsu_identity::Provider;
use bongsu_lane::LanesMetrics;
use bongsu_pay::http::Api as PayApi;
use bongsu_talk::http::Api as TalkApi;
use bongsu_web_kit::admin::admit_by_socket;
use parking_lot::Mutex;
use proxies::Proxies;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A canary that is late by this many of its beats means that something does not work.
const BEATS: u32 = 3;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: &Config, telemetry: &Telemetry) -> Result<()> {
    let data = DataDir::new(&config.data);
    data.create()?;
    data.expect()?;
    let _lock = Lock::take(&data, "serve")?;
    let installation = Installation::settle(&data, config.server_name.as_ref())?;
    loop {
        // Before the address is taken, a signal ends the process as it always does: nothing was promised.
        let house = House::open(&data, config, &installation).await?;
        let again = house.condemned();
        let served = serve_house(&data, config, &house, telemetry.traces(), again).await;
        tracing::info!("closing");
        house.close().await?;
        if served? == Ending::Asked {
            break;
        }
        tracing::warn!(
            "a view was condemned; beginning again with one made from a snapshot and the log"
        );
    }
    tracing::info!("closed; everything is on the disk");
    Ok(())
}

/// Why serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It was told to.
    Asked,
    /// The other data centres agree on another state than is here.
    Condemned,
}

async fn serve_house(
    data: &DataDir,
    config: &Config,
    house: &House,
    traces: bool,
    condemned: impl Future<Output = ()> + Send + 'static,
) -> Result<Ending> {
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on; choose another with --listen",
            config.listen
        )
    })?;
    let address = listener.local_addr()?;
    let (stop, stopping) = watch::channel(false);
    let patience = BEATS * Duration::from_secs(config.canary_seconds.into());
    let watch = Watch::new(patience)
        .and(&house.identity.lane)
        .and(&house.talk.lane)
        .and(&house.pay.lane);
    let base_url = config
        .public_base_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", reachable(address)));
    let http = HttpMetrics::new(traces);
    let disk = Disk::default();
    let metrics = metrics_of(house, &watch, (&http, &disk));
    let page = Page {
        server_name: house.server_name.as_str().into(),
        base_url: base_url.as_str().into(),
        registration: config.registration,
        watch: watch.clone(),
    };
    let parts = router::Parts {
        page,
        watch: watch.clone(),
        metrics,
        http: http.clone(),
        stopping: stopping.clone(),
    };
    let provider = house.begin_sign_in(config, &base_url);
    let talk = house.talk_api(config, &base_url, &provider);
    let apis = (talk, house.pay_api(config, &provider), provider);
    let router = router::of(house, apis.clone(), &base_url, parts);
    let tasks = begin_tasks(data, config, (house, apis), (disk, watch.clone()));
    let stop_on_signal = tokio::spawn(until_signal(stop.clone())?);
    let snapshots = snapshot_store(&data.snapshots())?;
    let abroad = abroad::begin(house, snapshots, watch, stopping.clone()).await?;
    let (begin_again, ending) = begin_again_when(condemned, stop);

    write_whole(&data.listen_addr(), address.to_string().as_bytes())?;
    greeting::greet(&base_url, &house.server_name, config);
    tracing::info!(%address, server_name = %house.server_name, "serving");
    let limits = connections::Limits {
        open: config.max_connections,
        proxies: Proxies::new(config.trusted_proxies.clone()),
    };
    connections::serve(listener, router, limits, &http, stopping).await;

    for task in tasks {
        task.abort();
        // It holds the house until it has ended.
        let _ = task.await;
    }
    abroad.join_all().await;
    stop_on_signal.abort();
    begin_again.abort();
    clean_up(data);
    let ending = *ending.lock();
    Ok(ending)
}

/// All that is measured in `house`, and beside it.
fn metrics_of(house: &House, watch: &Watch, (http, disk): (&HttpMetrics, &Disk)) -> Metrics {
    Metrics::new(|registry| {
        http.register(registry);
        disk.register(registry);
        house.media.metrics().register(registry);
        let lanes = LanesMetrics::default()
            .and::<bongsu_identity::Identity>(house.identity.lane.metrics())
            .and::<bongsu_talk::Talk>(house.talk.lane.metrics())
            .and::<bongsu_pay::Pay>(house.pay.lane.metrics());
        registry.register_collector(Box::new(lanes));
        registry.register_collector(Box::new(Ages(watch.clone())));
        registry.register_collector(Box::new(house.engines()));
        if let Some(abroad) = &house.abroad {
            metrics::certificates(registry, &abroad.sites);
        }
        house.told.register(registry);
        house.bank.metrics.register(registry);
        house.invariants.register(registry);
    })
}

/// Removes what says that a server runs here.
fn clean_up(data: &DataDir) {
    for left in [data.control_socket(), data.listen_addr()] {
        if let Err(error) = std::fs::remove_file(&left)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %left.display(), %error, "could not be removed");
        }
    }
}

/// Stops serving once `condemned` returns; then says why it ended.
fn begin_again_when(
    condemned: impl Future<Output = ()> + Send + 'static,
    stop: watch::Sender<bool>,
) -> (JoinHandle<()>, Arc<Mutex<Ending>>) {
    let ending = Arc::new(Mutex::new(Ending::Asked));
    let set = ending.clone();
    let task = tokio::spawn(async move {
        condemned.await;
        *set.lock() = Ending::Condemned;
        stop.send_replace(true);
    });
    (task, ending)
}

/// What goes on beside serving: answering the control socket, doing what is due, measuring the disk.
fn begin_tasks(
    data: &DataDir,
    config: &Config,
    (house, (talk, pay, provider)): (&House, (TalkApi, PayApi, Provider)),
    (disk, watch): (Disk, Watch),
) -> Vec<JoinHandle<()>> {
    let socket = control::server::listen(&data.control_socket());
    let administration = house.administration(talk.clone(), pay.clone(), provider.clone());
    let ready = Router::new().route(READY, get(health::ready));
    let administration = administration
        .merge(house.engines().routes())
        .merge(ready.with_state(watch));
    vec![
        tokio::spawn(answer_control(socket, administration)),
        tokio::spawn(talk.clone().keep_in_touch()),
        tokio::spawn(talk.keep_swept(config.retention)),
        tokio::spawn(pay.clone().keep_swept()),
        tokio::spawn(pay.clone().keep_told()),
        tokio::spawn(pay.keep_watched()),
        tokio::spawn(provider.keep_keys()),
        tokio::spawn(disk.keep_measured(data.clone())),
    ]
}

/// Answers what is asked through the control socket. Where there can be none (a path that is too long
/// for a socket, a file system without sockets), serving goes on without it.
async fn answer_control(socket: Result<UnixListener>, administration: Router) {
    let served = match socket {
        Ok(socket) => {
            let gated = administration.route_layer(from_fn(admit_by_socket));
            let known = gated.layer(from_fn(who::by_socket));
            let service = known.into_make_service_with_connect_info::<who::Peer>();
            axum::serve(socket, service).await.map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::warn!(
            "administering from the command line works only while the server does not run: {error:#}"
        );
    }
}

/// Says stop at the first signal; a second one ends the process at once.
fn until_signal(stop: watch::Sender<bool>) -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for again in [false, true] {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if again {
                tracing::warn!(signal = name, "told a second time; ending at once");
                std::process::exit(1);
            }
            tracing::info!(signal = name, "stopping; what was asked is answered first");
            stop.send_replace(true);
        }
    })
}

/// An address that a client on this machine can connect to.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, bound.port())
}
