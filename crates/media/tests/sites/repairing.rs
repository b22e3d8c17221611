//! What is named is in every data centre in the end, and sound.

use crate::country::{Country, MAX, content};
use bongsu_media::{BlobId, Passed, Scrubbed};
use proptest::prelude::*;
use std::sync::atomic::Ordering::SeqCst;
use tokio::sync::watch;

#[tokio::test]
async fn a_pass_brings_what_is_named() {
    let country = Country::new().await;
    let mut blobs = Vec::new();
    for n in 0..30 {
        blobs.push(country.upload(&content(n, 1000 + usize::from(n))).await);
    }
    let far = &country.sites[2];
    let passed = far.repair().pass().await.unwrap();
    let expected = Passed {
        named: 30,
        fetched: 30,
        ..Passed::default()
    };
    assert_eq!(passed, expected);
    for blob in &blobs {
        assert_eq!(country.holders(blob.hash), [0, 1, 2]);
    }
    assert_eq!(far.measured("repaired_total"), 30);
    let bytes: u64 = blobs.iter().map(|blob| blob.bytes).sum();
    assert_eq!(far.measured("repaired_bytes_total"), bytes);
    assert_eq!(far.measured("missing"), 0);
}

#[tokio::test]
async fn a_wiped_data_centre_has_everything_again() {
    let country = Country::new().await;
    let small = country.upload(&content(1, 1000)).await;
    let long = country.upload(&content(2, 12_000_000)).await;
    country.sites[0].wipe();
    assert_eq!(country.holders(small.hash), [1]);
    country.sites[0].repair().pass().await.unwrap();
    for blob in [small, long] {
        assert_eq!(country.holders(blob.hash), [0, 1]);
    }
}

#[tokio::test]
async fn all_that_is_missing_is_counted_before_the_first_is_fetched() {
    let country = Country::new().await;
    for n in 0..30 {
        country.upload(&content(n, 1000)).await;
    }
    let far = &country.sites[2];
    let repair = far.repair();
    let mut pass = Box::pin(repair.pass());
    let mut most = 0;
    let passed = loop {
        tokio::select! {
            biased;
            passed = &mut pass => break passed.unwrap(),
            () = tokio::task::yield_now() => most = far.measured("missing").max(most),
        }
    };
    assert_eq!((most, passed.fetched), (30, 30));
    assert_eq!(far.measured("missing"), 0);
}

#[tokio::test]
async fn what_no_other_can_give_is_counted_and_fetched_later() {
    let mut country = Country::new().await;
    let blob = country.upload(&content(1, 1000)).await;
    let lost = BlobId::of(b"lost");
    country.view.named.lock().unwrap().insert(lost);
    country.sites[0].stop().await;
    country.sites[1].damage(blob.hash);
    let far = &country.sites[2];
    assert_eq!(far.repair().pass().await.unwrap().missing, 2);
    assert_eq!(far.measured("missing"), 2);
    assert_eq!(far.drafts(), 0);
    country.sites[1]
        .media
        .put(one(content(1, 1000)), MAX)
        .await
        .unwrap();
    let passed = far.repair().pass().await.unwrap();
    // Uploading it again brought it to Gwangju, since Seoul is dead.
    assert_eq!((passed.missing, passed.fetched), (1, 0));
    assert_eq!(far.measured("missing"), 1);
}

fn one(
    content: Vec<u8>,
) -> impl futures_util::Stream<Item = Result<bytes::Bytes, std::convert::Infallible>> {
    futures_util::stream::iter([Ok(content.into())])
}

#[tokio::test]
async fn a_damaged_copy_elsewhere_is_not_brought_here() {
    let country = Country::new().await;
    let blob = country.upload(&content(1, 1000)).await;
    // Seoul is asked first.
    country.sites[0].damage(blob.hash);
    let far = &country.sites[2];
    assert_eq!(far.repair().pass().await.unwrap().fetched, 1);
    assert_eq!(country.holders(blob.hash), [1, 2]);
    assert_eq!(far.drafts(), 0);
}

#[tokio::test]
async fn the_scrub_finds_damage_and_mends_it() {
    let country = Country::new().await;
    let mut blobs = Vec::new();
    for n in 0..5 {
        blobs.push(country.upload(&content(n, 10_000)).await);
    }
    let own = &country.sites[0];
    own.damage(blobs[1].hash);
    own.damage(blobs[3].hash);
    std::fs::write(own.file(blobs[4].hash), b"").unwrap();
    country.sites[1].damage(blobs[3].hash);
    let scrubbed = own.repair().scrub().await.unwrap();
    let expected = Scrubbed {
        sound: 2,
        repaired: 2,
        damaged: 1,
    };
    assert_eq!(scrubbed, expected);
    for place in [0, 1, 2, 4] {
        assert_eq!(country.holders(blobs[place].hash), [0, 1]);
    }
    assert_eq!(country.holders(blobs[3].hash), [0; 0]);
    assert_eq!(own.measured("damaged_total"), 3);
    assert_eq!(own.measured("scrubbed_bytes_total"), 40_000);
}

#[tokio::test]
async fn what_a_reader_missed_is_brought_at_once() {
    let country = Country::new().await;
    let far = &country.sites[2];
    let (stop, stopping) = watch::channel(false);
    let repair = tokio::spawn(far.repair().run(stopping));
    // The first pass is over; the next one is in an hour.
    while far.measured("passes_total") == 0 {
        tokio::task::yield_now().await;
    }
    let whole = content(1, 3_000_000);
    let blob = country.upload(&whole).await;
    assert!(far.media.read_verified(blob.hash, MAX).await.unwrap() == whole);
    while far.measured("repaired_total") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(country.holders(blob.hash), [0, 1, 2]);
    far.damage(blob.hash);
    assert!(far.media.read_verified(blob.hash, MAX).await.is_err());
    while far.measured("repaired_total") == 1 {
        tokio::task::yield_now().await;
    }
    assert!(far.media.read_verified(blob.hash, MAX).await.unwrap() == whole);
    assert_eq!(far.measured("read_elsewhere_total"), 1);
    stop.send_replace(true);
    repair.await.unwrap();
}

#[tokio::test]
async fn with_a_full_disk_nothing_is_lost_and_nothing_is_half() {
    let country = Country::new().await;
    let blob = country.upload(&content(1, 7_000_000)).await;
    let far = &country.sites[2];
    far.fault.full.store(true, SeqCst);
    assert_eq!(far.repair().pass().await.unwrap().missing, 1);
    assert_eq!(far.drafts(), 0);
    far.fault.full.store(false, SeqCst);
    assert_eq!(far.repair().pass().await.unwrap().fetched, 1);
    assert_eq!(country.holders(blob.hash), [0, 1, 2]);
}

/// What may befall a blob's copies: in which data centre, and whether it is damaged or gone.
fn blows() -> impl Strategy<Value = Vec<(usize, u8, bool)>> {
    prop::collection::vec((0..3_usize, 0..6_u8, any::<bool>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is damaged or lost, in whichever data centres: a blob of which one sound copy is left is
    /// in all of them after a scrub and a pass of each, and what is read is what was written.
    #[test]
    fn one_sound_copy_is_enough(blows in blows()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let country = Country::new().await;
            let mut blobs = Vec::new();
            for n in 0..6 {
                blobs.push(country.upload(&content(n, 2000)).await);
            }
            country.repair_all().await;
            for (place, blob, gone) in blows {
                let (site, id) = (&country.sites[place], blobs[usize::from(blob)].hash);
                if gone {
                    let _ = std::fs::remove_file(site.file(id));
                } else if site.file(id).exists() {
                    site.damage(id);
                }
            }
            let left: Vec<_> = blobs.iter().map(|blob| country.holders(blob.hash).len()).collect();
            for _ in 0..2 {
                for site in &country.sites {
                    site.repair().scrub().await.unwrap();
                    site.repair().pass().await.unwrap();
                }
            }
            for (n, (blob, left)) in blobs.iter().zip(left).enumerate() {
                for site in &country.sites {
                    match site.media.read_verified(blob.hash, MAX).await {
                        Ok(read) => assert_eq!(read, content(n as u8, 2000)),
                        Err(error) => assert_eq!(left, 0, "{error}"),
                    }
                }
                let expected: &[usize] = if left == 0 { &[] } else { &[0, 1, 2] };
                assert_eq!(country.holders(blob.hash), expected);
            }
        });
    }
}
