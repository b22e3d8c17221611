//! A store of another data centre, used like any other.

use super::failure::Failure;
use super::upload::Upload;
use super::{Peer, nothing};
use crate::wire::{MAX_LINE, Meta, STORES, escape, read_given_range};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt, try_unfold};
use http::{Method, Request, header};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};
use std::collections::BTreeSet;
use std::fmt;

/// It reads, lists and writes; nobody deletes or copies in another data centre.
#[derive(Debug)]
pub(super) struct PeerStore {
    pub(super) peer: Peer,
    pub(super) name: &'static str,
}

impl fmt::Display for PeerStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.peer.name)
    }
}

#[async_trait]
impl ObjectStore for PeerStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if options.mode != PutMode::Overwrite {
            return Err(unsupported("writing only where nothing is"));
        }
        let mut upload = self.upload(location);
        upload.put_part(payload).await?;
        upload.complete().await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(self.upload(location)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.version.is_some() {
            return Err(unsupported("reading an earlier version"));
        }
        let method = if options.head {
            Method::HEAD
        } else {
            Method::GET
        };
        let mut request = Request::builder()
            .method(method)
            .uri(self.peer.file(self.name, location));
        if let Some(range) = &options.range {
            request = request.header(header::RANGE, range.to_string());
        }
        let request = request.body(nothing()).map_err(malformed)?;
        let answer = self.peer.ask(request).await;
        let answer = answer.map_err(|failure| failure.about(location))?;
        let meta = Meta::in_headers(answer.headers())
            .and_then(|meta| meta.at(location.clone()))
            .ok_or_else(|| Failure::new("it does not say what the file is"))?;
        options.check_preconditions(&meta)?;
        let range = match answer.headers().get(header::CONTENT_RANGE) {
            Some(given) => given
                .to_str()
                .ok()
                .and_then(read_given_range)
                .ok_or_else(|| Failure::new("it does not say which part of the file it gives"))?,
            None => 0..meta.size,
        };
        let location = location.clone();
        let pieces = self
            .peer
            .pieces(answer.into_body())
            .map_err(move |failure| failure.about(&location));
        Ok(GetResult {
            payload: GetResultPayload::Stream(pieces.boxed()),
            meta,
            range,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations
            .and_then(|_| async { Err(unsupported("deleting")) })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.lines(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.lines(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let own = prefix.cloned().unwrap_or_default();
        let mut folders = BTreeSet::new();
        let mut objects = Vec::new();
        let mut found = self.list(prefix);
        while let Some(meta) = found.try_next().await? {
            let below = meta.location.prefix_match(&own).map(|parts| {
                let parts: Vec<_> = parts.take(2).collect();
                (parts.len() > 1).then(|| own.clone().join(parts[0].clone()))
            });
            match below {
                Some(Some(folder)) => {
                    folders.insert(folder);
                }
                Some(None) => objects.push(meta),
                None => {}
            }
        }
        Ok(ListResult {
            common_prefixes: folders.into_iter().collect(),
            objects,
            extensions: Default::default(),
        })
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(unsupported("copying"))
    }
}

impl PeerStore {
    fn upload(&self, location: &Path) -> Upload {
        Upload::begin(&self.peer, self.peer.file(self.name, location), location)
    }

    /// What is in the folder `prefix` and comes after `after`, in no order.
    fn lines(
        &self,
        prefix: Option<&Path>,
        after: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let mut uri = self.peer.uri(&format!("{STORES}/{}?prefix=", self.name));
        uri.push_str(&escape(prefix.map_or("", AsRef::as_ref)));
        if let Some(after) = after {
            uri.push_str("&after=");
            uri.push_str(&escape(after.as_ref()));
        }
        let peer = self.peer.clone();
        let answer = async move {
            let request = Request::get(uri).body(nothing()).map_err(malformed)?;
            let answer = peer.ask(request).await;
            let answer = answer.map_err(|failure| failure.about(&Path::default()))?;
            Ok::<_, Error>(lines(peer.pieces(answer.into_body())))
        };
        stream::once(answer).try_flatten().boxed()
    }
}

/// The files of a list, line by line.
fn lines(
    pieces: BoxStream<'static, std::result::Result<Bytes, Failure>>,
) -> impl futures_util::Stream<Item = Result<ObjectMeta>> {
    try_unfold(
        (pieces, BytesMut::new()),
        |(mut pieces, mut text)| async move {
            loop {
                if let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                    let line = text.split_to(end + 1);
                    let meta = Meta::of_line(&line[..end]);
                    let meta = meta.ok_or_else(|| Failure::new("its list cannot be read"))?;
                    return Ok(Some((meta, (pieces, text))));
                }
                if text.len() > MAX_LINE {
                    return Err(Failure::new("its list has a line without end").into());
                }
                match pieces.try_next().await? {
                    Some(piece) => text.extend_from_slice(&piece),
                    None if text.is_empty() => return Ok(None),
                    None => return Err(Failure::new("its list breaks off").into()),
                }
            }
        },
    )
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported {
        source: format!("{what} in another data centre").into(),
    }
}

fn malformed(error: http::Error) -> Error {
    Failure::new(error.to_string()).into()
}
