//! How much each merchant may ask: a bucket that refills, for each, in each process.

use super::problem::Problem;
use crate::id::MerchantId;
use http::StatusCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many requests a merchant may make at once, and how long one more takes to be allowed.
const AT_ONCE: u32 = 400;
const EACH: Duration = Duration::from_millis(5);

/// What each merchant has asked of late.
#[derive(Debug, Clone, Default)]
pub struct Rates(Arc<Mutex<BTreeMap<MerchantId, Instant>>>);

impl Rates {
    /// Counts a request.
    ///
    /// # Errors
    /// 429 when it is too much.
    pub(super) fn take(&self, id: &MerchantId) -> Result<(), Problem> {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When the bucket will be full again.
        let full = all.entry(id.clone()).or_insert(now);
        let next = (*full).max(now) + EACH;
        if next > now + EACH * AT_ONCE {
            let detail = "this merchant asks too much at once; try again in a moment";
            let after = Duration::from_secs(1);
            return Err(Problem::later(StatusCode::TOO_MANY_REQUESTS, after, detail));
        }
        *full = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_asks_too_much_waits_and_others_do_not() {
        let rates = Rates::default();
        let [a, b] = ["aaa", "bbb"].map(|id| id.parse().expect("an id"));
        for _ in 0..AT_ONCE {
            rates.take(&a).expect("allowed");
        }
        assert!(rates.take(&a).is_err());
        assert!(rates.take(&b).is_ok());
        tokio::time::advance(EACH).await;
        assert!(rates.take(&a).is_ok());
        assert!(rates.take(&a).is_err());
    }
}
