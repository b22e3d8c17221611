//! Blobs in memory and in a folder.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

use bongsu_media::{Blob, BlobId, Limits, Media, MediaError};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use proptest::prelude::*;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAX: u64 = 64 << 20;

fn content(pieces: &[Vec<u8>]) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(pieces.to_vec()).map(|piece| Ok(Bytes::from(piece)))
}

async fn put(media: &Media, bytes: &[u8]) -> Result<Blob, MediaError> {
    media.put(content(&[bytes.to_vec()]), MAX).await
}

fn in_memory() -> Media {
    Media::new(Arc::new(InMemory::new()), Limits::default())
}

fn in_folder(folder: &Path) -> Media {
    Media::local(folder, Limits::default()).unwrap()
}

/// All files below `folder`, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found.sort();
    found
}

fn file_of(folder: &Path, id: BlobId) -> PathBuf {
    let id = id.to_string();
    folder.join("blobs").join(&id[..2]).join(&id[2..])
}

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the pieces, what comes out is what went in, under the hash of all of it.
    #[test]
    fn what_is_put_is_what_is_got(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40_000), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let whole = pieces.concat();
        tokio().block_on(async {
            for media in [in_memory(), in_folder(folder.path())] {
                let blob = media.put(content(&pieces), MAX).await.unwrap();
                assert_eq!(blob, Blob { hash: BlobId::of(&whole), bytes: whole.len() as u64 });
                assert_eq!(media.read_verified(blob.hash, MAX).await.unwrap(), whole);
                assert_eq!(media.exists(blob.hash).await.unwrap(), Some(blob));
            }
        });
    }

    /// Whichever bit is flipped, the blob is not given whole, and the walk names it.
    #[test]
    fn any_flipped_bit_is_noticed(
        mut bytes in prop::collection::vec(any::<u8>(), 1..40_000),
        long in any::<bool>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        if long {
            // It is not compared before its first piece is given.
            bytes = bytes.iter().copied().cycle().take((1 << 20) + bytes.len()).collect();
        }
        let folder = tempfile::tempdir().unwrap();
        tokio().block_on(async {
            let media = in_folder(folder.path());
            let blob = put(&media, &bytes).await.unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            std::fs::write(file_of(folder.path(), blob.hash), &bytes).unwrap();
            let mut given = 0;
            let error = match media.get(blob.hash).await {
                Err(error) => error,
                Ok((_, mut pieces)) => loop {
                    match pieces.try_next().await {
                        Ok(piece) => given += piece.expect("it does not end well").len(),
                        Err(error) => break error,
                    }
                },
            };
            assert!(long || given == 0);
            assert!(matches!(error, MediaError::Damaged { id, .. } if id == blob.hash));
            assert!(given < bytes.len());
            assert_eq!(media.verify(|_, _| ()).await.unwrap().bad.len(), 1);
        });
    }
}

#[tokio::test]
async fn the_same_content_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let media = in_folder(folder.path());
    let first = put(&media, b"once").await.unwrap();
    assert_eq!(put(&media, b"once").await.unwrap(), first);
    assert_eq!(files(folder.path()), [file_of(folder.path(), first.hash)]);
    assert_eq!(media.list().await.unwrap(), [first]);
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let media = in_folder(folder.path());
    let pieces = vec![vec![7; 6 << 20]; 2];
    let error = media
        .put(content(&pieces), (12 << 20) - 1)
        .await
        .unwrap_err();
    assert!(matches!(error, MediaError::TooLarge { .. }), "{error}");
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err("the line is dead")]);
    let error = media.put(broken, MAX).await.unwrap_err();
    assert_eq!(error.to_string(), "the upload broke off: the line is dead");
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(
        media.put(content(&pieces), 12 << 20).await.unwrap().bytes,
        12 << 20
    );
}

#[tokio::test]
async fn uploads_at_the_same_time_are_bounded() {
    let media = Media::new(
        Arc::new(InMemory::new()),
        Limits {
            uploads: 1,
            ..Limits::default()
        },
    );
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let pieces = stream::poll_fn(move |cx| receiver.poll_recv(cx)).map(Ok::<_, Infallible>);
    let slow = tokio::spawn({
        let media = media.clone();
        async move { media.put(pieces, MAX).await }
    });
    // The second is sent once the first was taken: the upload runs then.
    sender.send(Bytes::from_static(b"fir")).await.unwrap();
    sender.send(Bytes::from_static(b"st")).await.unwrap();
    assert!(matches!(
        put(&media, b"second").await,
        Err(MediaError::Overloaded)
    ));
    drop(sender);
    assert_eq!(slow.await.unwrap().unwrap().hash, BlobId::of(b"first"));
    put(&media, b"second").await.unwrap();
}

#[tokio::test]
async fn what_a_crash_left_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let blob = put(&in_folder(folder.path()), b"whole").await.unwrap();
    for left in ["0123", "4567#1"] {
        std::fs::write(folder.path().join("uploads").join(left), b"half").unwrap();
    }
    let media = in_folder(folder.path());
    assert_eq!(files(folder.path()), [file_of(folder.path(), blob.hash)]);
    assert_eq!(media.read_verified(blob.hash, MAX).await.unwrap(), "whole");
}

#[tokio::test]
async fn a_damaged_blob_is_mended_by_putting_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let media = in_folder(folder.path());
    let blob = put(&media, b"sound").await.unwrap();
    std::fs::write(file_of(folder.path(), blob.hash), b"").unwrap();
    let error = media.read_verified(blob.hash, MAX).await.unwrap_err();
    assert!(
        error.to_string().contains(&blob.hash.to_string()),
        "{error}"
    );
    put(&media, b"sound").await.unwrap();
    assert_eq!(media.read_verified(blob.hash, MAX).await.unwrap(), "sound");
}

#[tokio::test]
async fn parts_can_be_read_and_blobs_removed() {
    let media = in_memory();
    let blob = put(&media, b"0123456789").await.unwrap();
    assert_eq!(media.get_range(blob.hash, 2..5).await.unwrap(), "234");
    assert!(matches!(
        media.read_verified(blob.hash, 9).await,
        Err(MediaError::TooLarge { .. })
    ));
    media.delete(blob.hash).await.unwrap();
    media.delete(blob.hash).await.unwrap();
    assert_eq!(media.exists(blob.hash).await.unwrap(), None);
    assert!(matches!(media.get(blob.hash).await, Err(MediaError::NotFound(id)) if id == blob.hash));
    assert!(matches!(
        media.get_range(blob.hash, 0..1).await,
        Err(MediaError::NotFound(_))
    ));
}

#[tokio::test]
async fn the_walk_tells_its_progress_and_names_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let media = in_folder(folder.path());
    for bytes in [vec![1; 10], vec![2; 20]] {
        put(&media, &bytes).await.unwrap();
    }
    std::fs::create_dir_all(folder.path().join("blobs/zz")).unwrap();
    std::fs::write(folder.path().join("blobs/zz/notes.txt"), b"?").unwrap();
    let mut seen = Vec::new();
    let verified = media
        .verify(|done, total| seen.push((done, total)))
        .await
        .unwrap();
    assert_eq!(
        (verified.good, verified.bytes, verified.bad.len()),
        (2, 30, 0)
    );
    assert_eq!(verified.strangers, ["blobs/zz/notes.txt"]);
    assert_eq!(seen.last(), Some(&(30, 30)));
}
