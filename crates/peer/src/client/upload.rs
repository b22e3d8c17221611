//! Sending a file while it is made.

use super::failure::Failure;
use super::{Peer, Sent};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, Shared};
use futures_util::stream::unfold;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Pieces that may wait for the connection.
const WAITING: usize = 1;

/// A file on its way. It is one request, whose body ends well only after [`MultipartUpload::complete`]: if
/// this is dropped before, or fails, the other side sees a body that breaks off.
#[derive(Debug)]
pub(super) struct Upload {
    /// `None` is the end.
    pieces: mpsc::Sender<Option<Bytes>>,
    /// Done once the part before has been sent.
    before: Option<oneshot::Receiver<()>>,
    answer: Shared<BoxFuture<'static, std::result::Result<(), Failure>>>,
    request: AbortHandle,
    location: Path,
    patience: Duration,
}

impl Upload {
    pub(super) fn begin(peer: &Peer, uri: String, location: &Path) -> Self {
        let (pieces, taken) = mpsc::channel(WAITING);
        let (client, patience) = (peer.client.clone(), peer.patience);
        let request = tokio::spawn(async move {
            let request = Request::put(uri).body(body(taken));
            let request = request.map_err(|error| Failure::new(error.to_string()))?;
            let answer = client.request(request).await.map_err(Failure::of_client)?;
            Failure::unless_good(answer, patience.answer)
                .await
                .map(drop)
        });
        let handle = request.abort_handle();
        let answer = request.map(|done| done.unwrap_or_else(|_| Err(Failure::new("given up"))));
        Self {
            pieces,
            before: None,
            answer: answer.boxed().shared(),
            request: handle,
            location: location.clone(),
            patience: patience.piece,
        }
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (sent, next) = oneshot::channel();
        let before = self.before.replace(next);
        let (pieces, answer) = (self.pieces.clone(), self.answer.clone());
        let (patience, location) = (self.patience, self.location.clone());
        let send = async move {
            if let Some(before) = before {
                let broken = |_| Failure::new("a part before this one was not sent");
                before.await.map_err(broken)?;
            }
            for piece in data {
                send(&pieces, Some(piece), patience, answer.clone()).await?;
            }
            // Nobody waits for the last part.
            let _ = sent.send(());
            Ok::<_, Failure>(())
        };
        async move { send.await.map_err(|failure| failure.about(&location)) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let ended = async {
            send(&self.pieces, None, self.patience, self.answer.clone()).await?;
            let answer = timeout(self.patience, self.answer.clone()).await;
            answer.map_err(|_| Failure::late())?
        };
        let ended: std::result::Result<(), Failure> = ended.await;
        ended.map_err(|failure| failure.about(&self.location))?;
        Ok(PutResult {
            e_tag: None,
            version: None,
            extensions: Default::default(),
        })
    }

    async fn abort(&mut self) -> Result<()> {
        self.request.abort();
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.request.abort();
    }
}

/// Hands a piece to the connection. When that takes no more of it, the answer says why.
async fn send(
    pieces: &mpsc::Sender<Option<Bytes>>,
    piece: Option<Bytes>,
    patience: Duration,
    answer: Shared<BoxFuture<'static, std::result::Result<(), Failure>>>,
) -> std::result::Result<(), Failure> {
    match timeout(patience, pieces.send(piece)).await {
        Err(_) => Err(Failure::late()),
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => match timeout(patience, answer).await {
            Ok(Err(failure)) => Err(failure),
            _ => Err(Failure::new("it answered before it had everything")),
        },
    }
}

fn body(pieces: mpsc::Receiver<Option<Bytes>>) -> Sent {
    let frames = unfold(Some(pieces), |pieces| async move {
        let mut pieces = pieces?;
        match pieces.recv().await {
            Some(Some(piece)) => Some((Ok(Frame::data(piece)), Some(pieces))),
            Some(None) => None,
            None => Some((Err(io::ErrorKind::BrokenPipe.into()), None)),
        }
    });
    BodyExt::boxed(StreamBody::new(frames))
}
