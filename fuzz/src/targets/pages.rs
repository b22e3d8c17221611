//! What a stranger's web server may answer: heads, packed bodies, letters, pages, pictures.

use crate::with_house;
use bongsu_fetch::{Fetcher, Limits, RootCertStore, Rules, SystemResolver};
use http::{HeaderMap, Method};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Each page is asked for under a name of its own, since what is known is not fetched again.
static PAGES: AtomicU64 = AtomicU64::new(0);

/// The stranger's address; the port is the test's own.
const ADDRESS: &str = "127.0.0.1";

fn fetcher() -> Option<Fetcher> {
    let rules = Rules {
        ports: (1_024..=u16::MAX).collect(),
        allow_networks: vec!["127.0.0.1/32".parse().expect("a network")],
        ..Rules::default()
    };
    let limits = Limits {
        patience: Duration::from_secs(2),
        redirects: 1,
    };
    let resolver = Arc::new(SystemResolver::default());
    Some(Fetcher::with(
        rules,
        limits,
        resolver,
        RootCertStore::empty(),
    ))
}

pub(crate) fn fuzz(data: &[u8]) {
    with_house(fetcher, async |house| {
        let listener = TcpListener::bind((ADDRESS, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = data.to_vec();
        let served = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                // Who asked may have gone once it knew enough.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        let page = PAGES.fetch_add(1, Ordering::Relaxed);
        let uri = format!(
            "/_matrix/client/v1/media/preview_url?url=http%3A%2F%2F{ADDRESS}%3A{port}%2F{page}"
        );
        house.ask(Method::GET, &uri, &HeaderMap::new(), b"").await;
        served.abort();
    });
}
