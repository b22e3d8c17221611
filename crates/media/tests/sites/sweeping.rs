//! What nothing names goes, and nothing else.

use crate::country::{Country, Site, content, log_time, now};
use bongsu_media::BlobId;
use std::fs::File;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// As if it had been written a while ago.
fn age(site: &Site, id: BlobId, by: Duration) {
    let file = File::options().write(true).open(site.file(id)).unwrap();
    file.set_modified(now() - by).unwrap();
}

async fn swept(site: &Site) -> u64 {
    site.repair().pass().await.unwrap().swept
}

#[tokio::test]
async fn what_is_old_and_not_named_goes() {
    let country = Country::new().await;
    let own = &country.sites[0];
    let kept = country.upload(&content(1, 1000)).await;
    let old = own.put(&content(2, 1000)).await.unwrap();
    let new = own.put(&content(3, 1000)).await.unwrap();
    age(own, kept.hash, 100 * HOUR);
    age(own, old.hash, 25 * HOUR);
    age(own, new.hash, 23 * HOUR);
    assert_eq!(swept(own).await, 1);
    assert_eq!(country.holders(kept.hash), [0, 1]);
    assert_eq!(country.holders(old.hash), [1]);
    assert_eq!(country.holders(new.hash), [0, 1]);
    assert_eq!(own.measured("swept_total"), 1);
}

#[tokio::test]
async fn a_view_that_lags_behind_removes_nothing() {
    let country = Country::new().await;
    let own = &country.sites[0];
    let blob = own.put(&content(1, 1000)).await.unwrap();
    age(own, blob.hash, 25 * HOUR);
    // It was named two hours ago; this view has not heard of the last three.
    *country.view.as_of.lock().unwrap() = log_time(now() - 3 * HOUR);
    assert_eq!(swept(own).await, 0);
    country.view.named.lock().unwrap().insert(blob.hash);
    *country.view.as_of.lock().unwrap() = log_time(now());
    assert_eq!(swept(own).await, 0);
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn what_is_about_to_be_named_again_stays_in_both_data_centres() {
    let country = Country::new().await;
    let whole = content(1, 1000);
    let blob = country.upload(&whole).await;
    country.view.named.lock().unwrap().remove(&blob.hash);
    for site in &country.sites[..2] {
        age(site, blob.hash, 48 * HOUR);
    }
    // Somebody uploads the same content; it is not named yet.
    country.sites[0].put(&whole).await.unwrap();
    for site in &country.sites {
        assert_eq!(swept(site).await, 0);
    }
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn deleting_leaves_it_to_the_sweep() {
    let country = Country::new().await;
    let blob = country.upload(&content(1, 1000)).await;
    country.sites[0].media.delete(blob.hash).await.unwrap();
    assert_eq!(country.holders(blob.hash), [0, 1]);
}

#[tokio::test]
async fn an_upload_that_a_crash_left_goes_when_it_is_old() {
    let country = Country::new().await;
    let own = &country.sites[0];
    own.put(&content(1, 1000)).await.unwrap();
    let uploads = own.file(BlobId::of(b""));
    let uploads = uploads.ancestors().nth(3).unwrap().join("uploads");
    for (name, age) in [("old", 25), ("new", 23)] {
        std::fs::write(uploads.join(name), b"half").unwrap();
        let file = File::options()
            .write(true)
            .open(uploads.join(name))
            .unwrap();
        file.set_modified(now() - age * HOUR).unwrap();
    }
    assert_eq!(swept(own).await, 1);
    assert_eq!(own.drafts(), 1);
}
