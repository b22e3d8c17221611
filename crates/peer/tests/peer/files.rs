//! Files of another data centre, used like one's own.

use crate::pair::Seoul;
use bongsu_peer::Limits;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, WriteMultipart,
};
use proptest::prelude::*;
use std::sync::Arc;

fn sorted(mut paths: Vec<String>) -> Vec<String> {
    paths.sort();
    paths
}

async fn listed(store: &dyn ObjectStore, prefix: Option<&str>) -> Vec<String> {
    let prefix = prefix.map(Path::from);
    let found = store.list(prefix.as_ref());
    let found = found.map_ok(|meta| meta.location.to_string());
    sorted(found.try_collect().await.unwrap())
}

#[tokio::test]
async fn a_file_is_written_read_and_listed() {
    let seoul = Seoul::start(Limits::default()).await;
    let store = seoul.asked().store("media");
    let path = Path::from("blobs/ab/cdef");
    store.put(&path, "a beacon".into()).await.unwrap();

    let there = seoul.media.head(&path).await.unwrap();
    let found = store.get(&path).await.unwrap();
    assert_eq!((found.meta.size, found.range.clone()), (8, 0..8));
    assert_eq!(found.meta.e_tag, there.e_tag);
    assert_eq!(
        found.meta.last_modified.timestamp_millis(),
        there.last_modified.timestamp_millis()
    );
    assert_eq!(found.bytes().await.unwrap(), "a beacon");
    assert_eq!(store.head(&path).await.unwrap().size, 8);
    assert_eq!(store.get_range(&path, 2..8).await.unwrap(), "beacon");
    for (range, part) in [
        (GetRange::Offset(6), "on"),
        (GetRange::Suffix(3), "con"),
        (GetRange::Bounded(0..1), "a"),
    ] {
        let options = GetOptions::new().with_range(Some(range));
        let found = store.get_opts(&path, options).await.unwrap();
        assert_eq!(
            (found.meta.size, found.bytes().await.unwrap()),
            (8, part.into())
        );
    }
    assert!(store.get_range(&path, 8..9).await.is_err());
    assert_eq!(listed(&*store, None).await, ["blobs/ab/cdef"]);
    assert_eq!(listed(&*store, Some("blobs/zz")).await, [""; 0]);

    let options = GetOptions::new().with_if_match(Some("another"));
    let error = store.get_opts(&path, options).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error}");
    seoul.stop().await;
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let seoul = Seoul::start(Limits::default()).await;
    let store = seoul.asked().store("media");
    let path = Path::from("nothing");
    store.put(&path, "".into()).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "");
    let upload = store.put_multipart(&path).await.unwrap();
    WriteMultipart::new(upload).finish().await.unwrap();
    assert_eq!(store.head(&path).await.unwrap().size, 0);
    seoul.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let seoul = Seoul::start(Limits::default()).await;
    let store = seoul.asked().store("media");
    let path = Path::from("nowhere");
    for error in [
        store.get(&path).await.map(drop).unwrap_err(),
        store.head(&path).await.map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
    seoul.stop().await;
}

#[tokio::test]
async fn nobody_does_more_than_is_offered() {
    let seoul = Seoul::start(Limits::default()).await;
    let path = Path::from("talk/1.json");
    seoul.snapshots.put(&path, "{}".into()).await.unwrap();
    let snapshots = seoul.asked().store("snapshots");
    assert_eq!(
        snapshots.get(&path).await.unwrap().bytes().await.unwrap(),
        "{}"
    );
    assert_eq!(listed(&*snapshots, Some("talk")).await, ["talk/1.json"]);
    let error = snapshots.put(&path, "[]".into()).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error}");
    let error = snapshots.delete(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "{error}");
    let error = seoul.asked().store("log").head(&path).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error}");
    assert_eq!(seoul.snapshots.head(&path).await.unwrap().size, 2);
    seoul.stop().await;
}

#[tokio::test]
async fn parts_that_are_sent_at_the_same_time_keep_their_order() {
    let seoul = Seoul::start(Limits::default()).await;
    let store = seoul.asked().store("media");
    let path = Path::from("parts");
    let mut upload = store.put_multipart(&path).await.unwrap();
    let parts: Vec<_> = (0..20_u8)
        .map(|n| upload.put_part(vec![n; 100_000].into()))
        .collect();
    // The last one is asked for first.
    let sent = futures_util::stream::iter(parts.into_iter().rev()).buffer_unordered(20);
    sent.try_collect::<Vec<()>>().await.unwrap();
    upload.complete().await.unwrap();
    let whole: Vec<u8> = (0..20).flat_map(|n| vec![n; 100_000]).collect();
    let stored = seoul.media.get(&path).await.unwrap().bytes().await.unwrap();
    assert!(stored == whole);
    seoul.stop().await;
}

#[tokio::test]
async fn what_is_not_sent_whole_is_nothing() {
    let seoul = Seoul::start(Limits::default()).await;
    let store = seoul.asked().store("media");
    let path = Path::from("half");
    let begin = async || {
        let mut upload = store.put_multipart(&path).await.unwrap();
        upload.put_part(vec![1; 100_000].into()).await.unwrap();
        upload.put_part(vec![2; 100_000].into()).await.unwrap();
        upload
    };
    drop(begin().await);
    let mut upload: Box<dyn MultipartUpload> = begin().await;
    upload.abort().await.unwrap();
    assert!(upload.complete().await.is_err());
    // The connections of what was given up are closed once Seoul has stopped.
    let media = seoul.media.clone();
    seoul.stop().await;
    assert!(media.head(&path).await.is_err());
}

#[tokio::test]
async fn folders_are_listed_as_such() {
    let seoul = Seoul::start(Limits::default()).await;
    for path in ["talk/1", "talk/2", "identity/1", "note", "talk/old/1"] {
        seoul
            .media
            .put(&Path::from(path), "x".into())
            .await
            .unwrap();
    }
    let store = seoul.asked().store("media");
    for prefix in [None, Some(Path::from("talk"))] {
        let theirs = store.list_with_delimiter(prefix.as_ref()).await.unwrap();
        let own = seoul
            .media
            .list_with_delimiter(prefix.as_ref())
            .await
            .unwrap();
        let names = |objects: &[object_store::ObjectMeta]| {
            sorted(
                objects
                    .iter()
                    .map(|meta| meta.location.to_string())
                    .collect(),
            )
        };
        assert_eq!(theirs.common_prefixes, own.common_prefixes);
        assert_eq!(names(&theirs.objects), names(&own.objects));
    }
    let after = store.list_with_offset(None, &Path::from("talk/1"));
    let after: Vec<_> = after
        .map_ok(|meta| meta.location.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(sorted(after), ["talk/2", "talk/old/1"]);
    seoul.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// A store of another data centre does what the store behind it does, whatever the names.
    #[test]
    fn a_peers_store_is_like_any_other(
        files in prop::collection::vec((prop::collection::vec("[^/]{1,6}", 1..4), prop::collection::vec(any::<u8>(), 0..3000)), 1..8),
        range in (0..3000_u64, 1..3000_u64),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (seoul, own) = (Seoul::start(Limits::default()).await, Arc::new(InMemory::new()));
            let store = seoul.asked().store("media");
            for (name, content) in files {
                let path = Path::from_iter(name);
                for store in [&*store, &*own] {
                    store.put(&path, Bytes::from(content.clone()).into()).await.unwrap();
                }
                let wanted = range.0..range.0 + range.1;
                let parts = [store.get_range(&path, wanted.clone()).await, own.get_range(&path, wanted).await];
                assert_eq!(parts[0].as_ref().ok(), parts[1].as_ref().ok());
                let whole = store.get(&path).await.unwrap().bytes().await.unwrap();
                assert_eq!(whole, content);
            }
            assert_eq!(listed(&*store, None).await, listed(&*own, None).await);
            seoul.stop().await;
        });
    }
}
