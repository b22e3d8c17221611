//! What is not here, or not what it should be, is read elsewhere.

use crate::country::{Country, MAX, content};
use bongsu_media::{BlobId, MediaError};
use futures_util::TryStreamExt;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn a_blob_is_read_where_it_is() {
    let country = Country::new().await;
    for bytes in [1000, 3_000_000, 0] {
        let whole = content(1, bytes);
        let blob = country.upload(&whole).await;
        let far = &country.sites[2].media;
        assert!(far.read_verified(blob.hash, MAX).await.unwrap() == whole);
        assert_eq!(far.get(blob.hash).await.unwrap().0, blob);
        assert_eq!(country.holders(blob.hash), [0, 1]);
    }
}

#[tokio::test]
async fn a_small_damaged_blob_is_read_elsewhere_before_its_first_byte() {
    let country = Country::new().await;
    let whole = content(1, 900_000);
    let blob = country.upload(&whole).await;
    country.sites[0].damage(blob.hash);
    let own = &country.sites[0].media;
    assert!(own.read_verified(blob.hash, MAX).await.unwrap() == whole);
    assert_eq!(country.sites[0].measured("damaged_total"), 1);
    assert_eq!(country.sites[0].measured("read_elsewhere_total"), 1);
}

#[tokio::test]
async fn a_long_damaged_blob_is_never_given_whole_and_read_elsewhere_the_next_time() {
    let country = Country::new().await;
    let whole = content(1, 5_000_000);
    let blob = country.upload(&whole).await;
    country.sites[0].damage(blob.hash);
    let own = &country.sites[0].media;
    let (_, mut pieces) = own.get(blob.hash).await.unwrap();
    let mut given = 0;
    let error = loop {
        match pieces.try_next().await {
            Ok(piece) => given += piece.expect("it does not end well").len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, MediaError::Damaged { .. }), "{error}");
    assert!(given < whole.len());
    assert!(own.read_verified(blob.hash, MAX).await.unwrap() == whole);
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_on_is_read_on_elsewhere() {
    let country = Country::new().await;
    let whole = content(1, 5_000_000);
    let blob = country.upload(&whole).await;
    country.sites[0]
        .fault
        .unreadable_after
        .store(2_000_000, SeqCst);
    let own = &country.sites[0].media;
    assert!(own.read_verified(blob.hash, MAX).await.unwrap() == whole);
}

#[tokio::test]
async fn a_damaged_copy_elsewhere_is_passed_over() {
    let country = Country::new().await;
    let whole = content(1, 1000);
    let blob = country.upload(&whole).await;
    country.repair_all().await;
    assert_eq!(country.holders(blob.hash), [0, 1, 2]);
    country.sites[2].wipe();
    // Seoul is Gwangju's nearest.
    country.sites[0].damage(blob.hash);
    let far = &country.sites[2].media;
    assert!(far.read_verified(blob.hash, MAX).await.unwrap() == whole);
}

#[tokio::test]
async fn a_blob_that_was_brought_meanwhile_is_read_on_here() {
    let mut country = Country::new().await;
    let whole = content(1, 30_000_000);
    let blob = country.upload(&whole).await;
    let far = country.sites[2].media.clone();
    let (_, mut pieces) = far.get(blob.hash).await.unwrap();
    let mut read = pieces.try_next().await.unwrap().unwrap().to_vec();
    country.sites[2].repair().pass().await.unwrap();
    // More is left than any socket holds.
    country.sites[0].stop().await;
    country.sites[1].stop().await;
    while let Some(piece) = pieces.try_next().await.unwrap() {
        read.extend_from_slice(&piece);
    }
    assert!(read == whole);
}

#[tokio::test]
async fn no_part_of_a_damaged_blob_is_given() {
    let country = Country::new().await;
    let whole = content(1, 3_000_000);
    let blob = country.upload(&whole).await;
    // Busan has not read it since it was brought. The middle is what is damaged.
    let busan = &country.sites[1];
    busan.damage(blob.hash);
    let middle = 1_499_990..1_500_010;
    let part = busan
        .media
        .get_range(blob.hash, middle.clone())
        .await
        .unwrap();
    assert_eq!(part, whole[middle.start as usize..middle.end as usize]);
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn a_part_of_a_blob_that_is_not_here_is_given() {
    let country = Country::new().await;
    let whole = content(1, 3_000_000);
    let blob = country.upload(&whole).await;
    let far = &country.sites[2];
    assert_eq!(
        far.media.get_range(blob.hash, 5..9).await.unwrap(),
        whole[5..9]
    );
    // With a full disk here it is read there.
    far.wipe();
    far.fault.full.store(true, SeqCst);
    assert_eq!(
        far.media.get_range(blob.hash, 5..9).await.unwrap(),
        whole[5..9]
    );
}

#[tokio::test]
async fn a_blob_that_is_nowhere_is_not_found_and_one_beyond_reach_is_not_given_up() {
    let mut country = Country::new().await;
    let nowhere = BlobId::of(b"nowhere");
    let far = country.sites[2].media.clone();
    assert!(matches!(
        far.get(nowhere).await,
        Err(MediaError::NotFound(_))
    ));
    assert!(matches!(
        far.get_range(nowhere, 0..1).await,
        Err(MediaError::NotFound(_))
    ));
    let blob = country.upload(&content(1, 1000)).await;
    country.sites[0].stop().await;
    country.sites[1].stop().await;
    assert!(matches!(
        far.get(blob.hash).await,
        Err(MediaError::OutOfReach(_))
    ));
    assert!(matches!(
        far.get_range(blob.hash, 0..1).await,
        Err(MediaError::OutOfReach(_))
    ));
}
