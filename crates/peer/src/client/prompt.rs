//! Connections that are made in time, or not at all.

use http::Uri;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tower::Service;

/// Makes connections through another connector. All of it has to be done in time, shaking hands, too: the
/// machine of a process that is frozen goes on accepting connections.
#[derive(Debug, Clone)]
pub(super) struct Prompt<C> {
    connector: C,
    within: Duration,
}

impl<C> Prompt<C> {
    pub(super) fn new(connector: C, within: Duration) -> Self {
        Self { connector, within }
    }
}

impl<C> Service<Uri> for Prompt<C>
where
    C: Service<Uri, Error = Box<dyn Error + Send + Sync>>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connected = timeout(self.within, self.connector.call(uri));
        Box::pin(async move {
            connected
                .await
                .map_err(|_| "it does not shake hands in time")?
        })
    }
}
