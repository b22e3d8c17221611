//! Blobs in an S3 service: SeaweedFS, as its users meet it.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, in its helpers too"
)]

mod weed;

use async_trait::async_trait;
use bongsu_base::{LogTime, Millis};
use bongsu_media::{
    BlobId, Limits, Media, MediaError, Named, NamedError, Neighbour, Passed, Plan, Repair,
};
use bongsu_store::{Place, Secret};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weed::{SECRET, Weed};

const MAX: u64 = 64 << 20;

/// Named is what is said to be, as of the end of time.
#[derive(Debug)]
struct View(Vec<BlobId>);

#[async_trait]
impl Named for View {
    async fn as_of(&self) -> Result<LogTime, NamedError> {
        Ok(LogTime(i64::MAX))
    }

    async fn is_named(&self, id: BlobId) -> Result<bool, NamedError> {
        Ok(self.0.contains(&id))
    }

    async fn page(&self, after: Option<BlobId>, most: usize) -> Result<Vec<BlobId>, NamedError> {
        let mut named: Vec<_> = self
            .0
            .iter()
            .copied()
            .filter(|id| after.is_none_or(|a| *id > a))
            .collect();
        named.sort_unstable();
        named.truncate(most);
        Ok(named)
    }
}

async fn put(media: &Media, content: &[u8]) -> BlobId {
    let pieces: Vec<_> = content
        .chunks(700_000)
        .map(Bytes::copy_from_slice)
        .collect();
    let pieces = stream::iter(pieces).map(Ok::<_, Infallible>);
    media.put(pieces, MAX).await.unwrap().hash
}

fn path(id: BlobId) -> Path {
    let id = id.to_string();
    Path::from(format!("blobs/{}/{}", &id[..2], &id[2..]))
}

async fn all(store: &Arc<dyn ObjectStore>) -> Vec<Path> {
    let all = store.list(None).map_ok(|meta| meta.location);
    let mut all: Vec<_> = all.try_collect().await.unwrap();
    all.sort();
    all
}

#[tokio::test]
async fn an_s3_service_keeps_blobs() {
    let weed = Weed::start().await;
    wait_until_it_takes_something(&weed).await;
    tokio::join!(
        blobs_are_written_and_read(&weed),
        damage_is_noticed_and_what_is_unnamed_goes(&weed),
        it_is_a_neighbour(&weed),
        a_wrong_secret_is_refused(&weed),
    );
}

/// Its parts find each other after its door is open.
async fn wait_until_it_takes_something(weed: &Weed) {
    let store = Place::S3(weed.bucket("")).open().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = store.put(&Path::from("first"), "x".into()).await {
        assert!(Instant::now() < deadline, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn blobs_are_written_and_read(weed: &Weed) {
    let store = Place::S3(weed.bucket("media")).open().unwrap();
    let media = Media::new(store.clone(), Limits::default());
    let (small, long) = (vec![1; 1000], vec![2; 12_000_000]);
    let ids = [put(&media, &small).await, put(&media, &long).await];
    for (id, whole) in ids.iter().zip([&small, &long]) {
        assert!(media.read_verified(*id, MAX).await.unwrap() == *whole);
        let part = media.get_range(*id, 10..20).await.unwrap();
        assert_eq!(part, whole[10..20]);
        assert_eq!(
            media.exists(*id).await.unwrap().unwrap().bytes,
            whole.len() as u64
        );
    }
    assert!(matches!(
        media.get(BlobId::of(b"nowhere")).await,
        Err(MediaError::NotFound(_))
    ));
    let verified = media.verify(|_, _| ()).await.unwrap();
    assert_eq!((verified.good, verified.bytes), (2, 12_001_000));
    // Nothing else is left of the uploads.
    let mut expected = ids.map(path);
    expected.sort();
    assert_eq!(all(&store).await, expected);
    media.delete(ids[0]).await.unwrap();
    media.delete(ids[0]).await.unwrap();
    assert_eq!(media.exists(ids[0]).await.unwrap(), None);
}

async fn damage_is_noticed_and_what_is_unnamed_goes(weed: &Weed) {
    let store = Place::S3(weed.bucket("damaged")).open().unwrap();
    let media = Media::new(store.clone(), Limits::default());
    let id = put(&media, b"sound").await;
    store.put(&path(id), "bound".into()).await.unwrap();
    let error = media.read_verified(id, MAX).await.unwrap_err();
    assert!(matches!(error, MediaError::Damaged { .. }), "{error}");
    let named = put(&media, b"named").await;
    store
        .put(&Path::from("uploads/half"), "x".into())
        .await
        .unwrap();
    let plan = Plan {
        kept_unnamed: Millis(0),
        ..Plan::default()
    };
    let repair = Repair::new(media, Arc::new(View(vec![named])), plan);
    let expected = Passed {
        named: 1,
        swept: 2,
        ..Passed::default()
    };
    assert_eq!(repair.pass().await.unwrap(), expected);
    assert_eq!(all(&store).await, [path(named)]);
}

async fn it_is_a_neighbour(weed: &Weed) {
    let far = Place::S3(weed.bucket("far")).open().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = || {
        let neighbour = Neighbour {
            data_centre: "busan".parse().unwrap(),
            distance: 1,
            store: far.clone(),
        };
        let media = Media::local(folder.path(), Limits::default()).unwrap();
        media.across(vec![neighbour])
    };
    let whole = vec![3; 6_000_000];
    let id = put(&here(), &whole).await;
    assert_eq!(all(&far).await, [path(id)]);
    std::fs::remove_dir_all(folder.path()).unwrap();
    let media = here();
    let repair = Repair::new(media.clone(), Arc::new(View(vec![id])), Plan::default());
    assert_eq!(repair.pass().await.unwrap().fetched, 1);
    assert_eq!(media.exists(id).await.unwrap().unwrap().bytes, 6_000_000);
}

async fn a_wrong_secret_is_refused(weed: &Weed) {
    let mut bucket = weed.bucket("media");
    bucket.secret_access_key = Secret::new("not the secret");
    let store = Place::S3(bucket).open().unwrap();
    let error = store.put(&Path::from("x"), "x".into()).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(
        !told.contains("not the secret") && !told.contains(SECRET),
        "{told}"
    );
}
