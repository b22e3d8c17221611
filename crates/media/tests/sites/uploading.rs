//! A blob is acknowledged once two data centres hold it.

use crate::country::{Country, content};
use bongsu_media::{BlobId, MediaError};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn a_blob_is_in_two_data_centres_when_it_was_put() {
    let country = Country::new().await;
    // Of one piece, of several, and of none.
    for bytes in [1000, 12_000_000, 0] {
        let blob = country.sites[0].put(&content(1, bytes)).await.unwrap();
        assert_eq!(blob.bytes, bytes as u64);
        assert_eq!(country.holders(blob.hash), [0, 1]);
    }
    assert_eq!(country.sites[0].measured("copied_total"), 3);
}

#[tokio::test]
async fn when_the_nearest_is_dead_the_next_one_takes_it() {
    let mut country = Country::new().await;
    country.sites[1].stop().await;
    let blob = country.sites[0].put(&content(1, 1000)).await.unwrap();
    assert_eq!(country.holders(blob.hash), [0, 2]);
    // Who failed is not asked again at once.
    country.sites[0].put(&content(2, 1000)).await.unwrap();
    assert_eq!(country.sites[0].measured("copies_failed_total"), 1);
}

#[tokio::test]
async fn when_the_nearest_hangs_the_next_one_takes_it() {
    let country = Country::new().await;
    country.sites[1].fault.hangs.store(true, SeqCst);
    let blob = country.sites[0].put(&content(1, 1000)).await.unwrap();
    assert_eq!(country.holders(blob.hash), [0, 2]);
}

#[tokio::test]
async fn when_the_nearests_disk_is_full_the_next_one_takes_it() {
    let country = Country::new().await;
    country.sites[1].fault.full.store(true, SeqCst);
    let blob = country.sites[0].put(&content(1, 7_000_000)).await.unwrap();
    assert_eq!(country.holders(blob.hash), [0, 2]);
}

#[tokio::test]
async fn when_no_other_takes_it_the_upload_is_refused() {
    let mut country = Country::new().await;
    country.sites[1].fault.full.store(true, SeqCst);
    country.sites[2].stop().await;
    let error = country.sites[0].put(&content(1, 1000)).await.unwrap_err();
    assert!(matches!(error, MediaError::TooFewCopies), "{error}");
    assert_eq!(country.sites[0].measured("too_few_copies_total"), 1);
    // Sent again once there is room, it is taken.
    country.sites[1].fault.full.store(false, SeqCst);
    let blob = country.sites[0].put(&content(1, 1000)).await.unwrap();
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn when_the_own_disk_is_full_the_upload_is_refused() {
    let country = Country::new().await;
    country.sites[0].fault.full.store(true, SeqCst);
    let error = country.sites[0].put(&content(1, 1000)).await.unwrap_err();
    assert!(matches!(error, MediaError::Unwritable(_)), "{error}");
    assert_eq!(country.holders(BlobId::of(&content(1, 1000))), [0; 0]);
    assert_eq!(country.sites[0].drafts(), 0);
}

#[tokio::test]
async fn uploading_again_mends_both_copies() {
    let country = Country::new().await;
    let blob = country.upload(&content(1, 1000)).await;
    for site in &country.sites[..2] {
        site.damage(blob.hash);
    }
    assert_eq!(country.holders(blob.hash), [0; 0]);
    country.upload(&content(1, 1000)).await;
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn nobody_brings_anything_but_what_it_says() {
    let country = Country::new().await;
    let blob = country.upload(&content(1, 1000)).await;
    let shelf = country.sites[0].media.shelf();
    let id = blob.hash.to_string();
    let path = Path::from(format!("blobs/{}/{}", &id[..2], &id[2..]));
    assert!(shelf.put(&path, content(2, 1000).into()).await.is_err());
    assert_eq!(country.holders(blob.hash), [0, 1]);
    for stranger in ["uploads/x", "blobs/notes.txt", "x"] {
        let stranger = Path::from(stranger);
        assert!(shelf.put(&stranger, "x".into()).await.is_err());
        assert!(shelf.get(&stranger).await.is_err());
    }
    assert!(shelf.delete(&path).await.is_err());
    assert_eq!(country.sites[0].drafts(), 0);
}
