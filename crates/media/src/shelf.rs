//! The blobs as other data centres use them.

use crate::blob::{BLOBS, BlobId};
use crate::draft::draft_path;
use crate::open::Media;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};
use std::fmt;
use std::sync::Arc;

impl Media {
    /// What other data centres may be offered: the blobs that are here, and room for those that they
    /// bring. What is written is compared with its name first: another data centre can add a blob, and
    /// mend one, and nothing else.
    #[must_use]
    pub fn shelf(&self) -> Arc<dyn ObjectStore> {
        Arc::new(Shelf(self.clone()))
    }
}

#[derive(Debug)]
struct Shelf(Media);

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blobs in {}", self.0.store)
    }
}

#[async_trait]
impl ObjectStore for Shelf {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let id = blob_at(location)?;
        let mut hasher = blake3::Hasher::new();
        for piece in &payload {
            hasher.update(piece);
        }
        expect(id, &hasher)?;
        let draft = fresh_draft()?;
        let done = self.0.store.put_opts(&draft, payload, options).await?;
        self.0.set(&draft, id).await.map(|()| done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Brought::begin(&self.0, location).await?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        blob_at(location)?;
        self.0.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let refused = |_| async { Err(unsupported("deleting")) };
        locations.and_then(refused).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let blobs = Path::from(BLOBS);
        let prefix = prefix.filter(|prefix| !prefix.as_ref().is_empty());
        let prefix = prefix.unwrap_or(&blobs);
        if !prefix.prefix_matches(&blobs) {
            return stream::empty().boxed();
        }
        let all = self.0.store.list(Some(prefix));
        all.try_filter(|meta| std::future::ready(BlobId::at(&meta.location).is_some()))
            .boxed()
    }

    async fn list_with_delimiter(&self, _prefix: Option<&Path>) -> Result<ListResult> {
        Err(unsupported("listing folders"))
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(unsupported("copying"))
    }
}

/// A blob that another data centre brings.
#[derive(Debug)]
struct Brought {
    media: Media,
    id: BlobId,
    draft: Path,
    upload: Box<dyn MultipartUpload>,
    hasher: blake3::Hasher,
}

impl Brought {
    async fn begin(media: &Media, location: &Path) -> Result<Self> {
        let id = blob_at(location)?;
        let draft = fresh_draft()?;
        Ok(Self {
            media: media.clone(),
            id,
            upload: media.store.put_multipart(&draft).await?,
            draft,
            hasher: blake3::Hasher::new(),
        })
    }
}

#[async_trait]
impl MultipartUpload for Brought {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        for piece in &data {
            self.hasher.update(piece);
        }
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if let Err(error) = expect(self.id, &self.hasher) {
            self.upload.abort().await?;
            return Err(error);
        }
        let done = self.upload.complete().await?;
        let placed = self.media.set(&self.draft, self.id).await;
        placed.map(|()| done)
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}

/// The blob whose place this is.
fn blob_at(location: &Path) -> Result<BlobId> {
    BlobId::at(location).ok_or_else(|| Error::PermissionDenied {
        path: location.to_string(),
        source: "only blobs are offered".into(),
    })
}

/// Sees that what was hashed is the blob `id`.
fn expect(id: BlobId, hasher: &blake3::Hasher) -> Result<()> {
    let found = BlobId::from_bytes(*hasher.finalize().as_bytes());
    if found == id {
        return Ok(());
    }
    Err(Error::Precondition {
        path: id.path().to_string(),
        source: format!("what came has the hash {found}").into(),
    })
}

fn fresh_draft() -> Result<Path> {
    draft_path().map_err(|error| Error::Generic {
        store: "media",
        source: Box::new(error),
    })
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported {
        source: format!("{what} in a store of blobs").into(),
    }
}
