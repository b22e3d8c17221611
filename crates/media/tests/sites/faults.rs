//! A store that does not always do what it is asked.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a store suffers from. Everything is well at first.
#[derive(Debug, Default)]
pub struct Fault {
    /// Nothing can be written: the disk is full.
    pub full: AtomicBool,
    /// Whatever is written hangs.
    pub hangs: AtomicBool,
    /// Reading fails after this many bytes, if that is not 0.
    pub unreadable_after: AtomicU64,
}

impl Fault {
    async fn before_writing(&self) -> Result<()> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(failed(std::io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}

fn failed(kind: std::io::ErrorKind) -> Error {
    Error::Generic {
        store: "faulty",
        source: Box::new(std::io::Error::from(kind)),
    }
}

/// The store, and its fault.
#[derive(Debug)]
pub struct Faulty {
    store: LocalFileSystem,
    fault: Arc<Fault>,
}

impl Faulty {
    pub fn new(store: LocalFileSystem, fault: Arc<Fault>) -> Self {
        Self { store, fault }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.fault.before_writing().await?;
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.fault.before_writing().await?;
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let found = self.store.get_opts(location, options).await?;
        let most = self.fault.unreadable_after.load(Ordering::SeqCst);
        if most == 0 {
            return Ok(found);
        }
        let (meta, range) = (found.meta.clone(), found.range.clone());
        let (attributes, extensions) = (found.attributes.clone(), found.extensions.clone());
        let whole: Bytes = found.bytes().await?;
        let readable = whole.slice(..whole.len().min(most as usize));
        let pieces = [Ok(readable), Err(failed(std::io::ErrorKind::InvalidData))];
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter(pieces).boxed()),
            meta,
            range,
            attributes,
            extensions,
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}
