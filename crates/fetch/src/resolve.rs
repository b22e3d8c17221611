//! From a host's name to its addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Names that are looked up at the same time. The machine's resolver takes a thread for each, which
/// goes on after whoever waited has gone.
const AT_ONCE: usize = 16;

/// Tells a host's addresses.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of the host `name`, best first.
    ///
    /// # Errors
    /// When there are none, or it cannot be told.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
#[derive(Debug)]
pub struct SystemResolver {
    turns: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(io::Error::other)?;
        let name = name.to_owned();
        let looked_up = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let found = (name.as_str(), 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        });
        looked_up.await.map_err(io::Error::other)?
    }
}
