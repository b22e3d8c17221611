//! A blob while it is read: from where, and what is known of it so far.

use crate::blob::BlobId;
use crate::error::MediaError;
use crate::get::Pieces;
use crate::neighbour::in_order;
use crate::open::Media;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, try_unfold};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, GetResult, ObjectStore};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Where a blob may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Here.
    Own,
    /// At this neighbour.
    Near(usize),
}

impl Source {
    /// Here, and then at the neighbours; here last if what is here is damaged.
    pub(crate) fn all(media: &Media, id: BlobId) -> VecDeque<Self> {
        let mut all: VecDeque<_> = in_order(&media.neighbours).map(Self::Near).collect();
        if media.damaged.has(id, Duration::MAX) {
            all.push_back(Self::Own);
        } else {
            all.push_front(Self::Own);
        }
        all
    }

    pub(crate) fn own_alone() -> VecDeque<Self> {
        [Self::Own].into()
    }

    fn store(self, media: &Media) -> &Arc<dyn ObjectStore> {
        match self {
            Self::Own => &media.store,
            Self::Near(place) => &media.neighbours[place].store,
        }
    }
}

/// Why a blob could not be read, of all places where it was looked for the worst: what is nowhere is not
/// found, what may be somewhere is out of reach.
#[derive(Debug, Default)]
pub(crate) struct Failed(Option<MediaError>);

impl Failed {
    pub(crate) fn merge(&mut self, id: BlobId, source: Source, error: MediaError) {
        self.0 = match (error, source) {
            (MediaError::NotFound(_), _) => return,
            (error @ MediaError::Damaged { .. }, _) | (error, Source::Own) => Some(error),
            (error, Source::Near(place)) => {
                tracing::warn!(blob = %id, place, %error, "a blob cannot be read at a neighbour");
                Some(MediaError::OutOfReach(id))
            }
        };
    }

    pub(crate) fn error(self, id: BlobId) -> MediaError {
        self.0.unwrap_or(MediaError::NotFound(id))
    }
}

/// A blob that is being read.
pub(crate) struct Reading {
    media: Media,
    id: BlobId,
    /// Where what is being read comes from.
    source: Source,
    /// Where else it may be read.
    others: VecDeque<Source>,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    bytes: u64,
    hasher: blake3::Hasher,
    /// Bytes hashed so far.
    read: u64,
    /// The last piece that came.
    held: Option<Bytes>,
    ended: bool,
}

impl Reading {
    /// Opens the blob at the first of `sources` that has it. What is before it there has been tried then.
    pub(crate) async fn open(
        media: &Media,
        id: BlobId,
        sources: &mut VecDeque<Source>,
        failed: &mut Failed,
    ) -> Option<(Source, GetResult)> {
        while let Some(source) = sources.pop_front() {
            match open_at(media, id, source, 0).await {
                Ok(found) => {
                    if source != Source::Own {
                        media.metrics.elsewhere.inc();
                    }
                    return Some((source, found));
                }
                Err(error) => {
                    if source == Source::Own && !sources.is_empty() {
                        media.miss(id, sources);
                        // It may have been brought by the time that no other place is left.
                        sources.push_back(source);
                    }
                    failed.merge(id, source, error);
                }
            }
        }
        None
    }

    pub(crate) fn new(
        media: &Media,
        id: BlobId,
        source: Source,
        found: GetResult,
        others: VecDeque<Source>,
    ) -> Self {
        Self {
            media: media.clone(),
            id,
            source,
            others,
            bytes: found.meta.size,
            stream: found.into_stream(),
            hasher: blake3::Hasher::new(),
            read: 0,
            held: None,
            ended: false,
        }
    }

    /// What may be given away.
    pub(crate) fn pieces(self) -> Pieces {
        let pieces = try_unfold(self, |mut reading| async move {
            let piece = reading.next().await?;
            Ok(piece.map(|piece| (piece, reading)))
        });
        pieces.boxed()
    }

    /// All of it, and where else it may be read.
    pub(crate) async fn whole(mut self) -> (Result<Bytes, MediaError>, VecDeque<Source>) {
        let mut content = BytesMut::new();
        loop {
            match self.next().await {
                Ok(Some(piece)) => content.extend_from_slice(&piece),
                Ok(None) => return (Ok(content.freeze()), self.others),
                Err(error) => return (Err(error), self.others),
            }
        }
    }

    /// The next piece that may be given away: always one less than was read, until the end is good.
    async fn next(&mut self) -> Result<Option<Bytes>, MediaError> {
        while !self.ended {
            match self.piece().await {
                Ok(Some(piece)) => {
                    self.hasher.update(&piece);
                    self.read += piece.len() as u64;
                    if let Some(piece) = self.held.replace(piece) {
                        return Ok(Some(piece));
                    }
                }
                Ok(None) => {
                    self.ended = true;
                    self.compare()?;
                }
                Err(error) => self.read_on_elsewhere(error).await?,
            }
        }
        Ok(self.held.take())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, MediaError> {
        match self.source {
            Source::Own => Ok(self.stream.try_next().await?),
            Source::Near(place) => {
                let piece = timeout(self.media.limits.stalled_after, self.stream.try_next());
                let who = || self.media.neighbours[place].data_centre.clone();
                Ok(piece.await.map_err(|_| MediaError::Stalled(who()))??)
            }
        }
    }

    /// Goes on with the rest at another place. Whether it belongs to what was read, the hash will tell.
    async fn read_on_elsewhere(&mut self, error: MediaError) -> Result<(), MediaError> {
        let id = self.id;
        tracing::warn!(blob = %id, source = ?self.source, read = self.read, %error, "a blob cannot be read on");
        if self.source == Source::Own {
            self.media.miss(id, &self.others);
        }
        while let Some(source) = self.others.pop_front() {
            let Ok(found) = open_at(&self.media, id, source, self.read).await else {
                continue;
            };
            if found.meta.size == self.bytes {
                self.source = source;
                self.stream = found.into_stream();
                return Ok(());
            }
        }
        Err(error)
    }

    fn compare(&self) -> Result<(), MediaError> {
        let found = BlobId::from_bytes(*self.hasher.finalize().as_bytes());
        if found == self.id {
            if self.source == Source::Own {
                self.media.sound.remember(self.id);
            }
            return Ok(());
        }
        let error = MediaError::Damaged {
            id: self.id,
            what: format!("its content has the hash {found}"),
        };
        match self.source {
            Source::Own if self.media.neighbours.is_empty() => {
                tracing::error!(%error, "restore it from a backup or upload it again");
            }
            Source::Own => tracing::error!(%error, "another data centre is asked for it"),
            Source::Near(place) => {
                let near = &self.media.neighbours[place].data_centre;
                tracing::error!(%error, data_centre = %near, "a copy elsewhere is damaged");
            }
        }
        if self.source == Source::Own {
            self.media.metrics.damaged.inc();
            self.media.damaged.remember(self.id);
            self.media.miss(self.id, &self.others);
        }
        Err(error)
    }
}

/// Opens the blob at one place, from the byte `from` on.
async fn open_at(
    media: &Media,
    id: BlobId,
    source: Source,
    from: u64,
) -> Result<GetResult, MediaError> {
    let range = (from > 0).then_some(GetRange::Offset(from));
    let path = id.path();
    let options = GetOptions::new().with_range(range);
    let opened = source.store(media).get_opts(&path, options);
    let opened = match source {
        Source::Own => opened.await,
        Source::Near(place) => {
            let near = &media.neighbours[place];
            let opened = timeout(media.limits.stalled_after, opened).await;
            let opened = opened.map_err(|_| {
                near.did(false);
                MediaError::Stalled(near.data_centre.clone())
            })?;
            near.did(!matches!(&opened, Err(error) if !is_missing(error)));
            opened
        }
    };
    opened.map_err(|error| MediaError::of_blob(id, error))
}

fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}

/// A content that is in memory, as pieces.
pub(crate) fn whole(content: Bytes) -> Pieces {
    let piece = (!content.is_empty()).then_some(Ok(content));
    stream::iter(piece).boxed()
}

impl Media {
    /// Remembers that what is here of the blob is of no use, and has it replaced if whoever found that
    /// out goes on to read it at `others`: the repair itself does not, and must not call for itself.
    fn miss(&self, id: BlobId, others: &VecDeque<Source>) {
        self.sound.forget(id);
        if !others.is_empty() {
            self.wanted.add(id);
        }
    }

    /// The stream of the blob at neighbour `place`, as it comes, and its length.
    pub(crate) async fn stream_from(
        &self,
        place: usize,
        id: BlobId,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, MediaError>>), MediaError> {
        let found = open_at(self, id, Source::Near(place), 0).await?;
        let (bytes, patience) = (found.meta.size, self.limits.stalled_after);
        let who = self.neighbours[place].data_centre.clone();
        let pieces = try_unfold(
            (found.into_stream(), who),
            move |(mut pieces, who)| async move {
                let piece = timeout(patience, pieces.try_next()).await;
                let piece = piece.map_err(|_| MediaError::Stalled(who.clone()))??;
                Ok(piece.map(|piece| (piece, (pieces, who))))
            },
        );
        Ok((bytes, pieces.boxed()))
    }
}
