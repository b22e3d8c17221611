//! Going over all named blobs.

use super::Repair;
use crate::blob::{Blob, BlobId};
use crate::error::MediaError;
use crate::named::Walk;
use futures_util::stream::{FuturesUnordered, StreamExt};

/// What a pass found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Blobs that are named.
    pub named: u64,
    /// Those that were missing and were fetched.
    pub fetched: u64,
    /// Those that are still missing.
    pub missing: u64,
    /// Blobs and drafts that nothing names, and that were removed.
    pub swept: u64,
}

/// What is in a folder and should not be, and the other way round.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    missing: Vec<BlobId>,
    unnamed: Vec<BlobId>,
}

impl Repair {
    /// Compares what is named with what is here, folder by folder: fetches what is missing, and removes
    /// what nothing names and nobody is about to name. What could not be fetched is counted, and does
    /// not stop it.
    ///
    /// # Errors
    /// When the store cannot be listed, or when it cannot be told what is named.
    pub async fn pass(&self) -> Result<Passed, MediaError> {
        let passed = self.look_and_pass().await;
        match &passed {
            Ok(_) => self.media.metrics.passes.inc(),
            Err(_) => self.media.metrics.passes_failed.inc(),
        };
        passed
    }

    /// Before the first pass all that is missing is counted, so that nobody takes a beginning for the end.
    async fn look_and_pass(&self) -> Result<Passed, MediaError> {
        if self.media.metrics.passes.get() == 0 {
            let mut walk = Walk::new(&*self.named);
            for folder in 0..=u8::MAX {
                let missing = self.difference(folder, &mut walk).await?.1.missing.len();
                self.media.metrics.missing.set(folder, missing);
            }
        }
        self.pass_over_all().await
    }

    /// How many blobs are named in a folder, and what should be there and is not, or the other way round.
    async fn difference(
        &self,
        folder: u8,
        walk: &mut Walk<'_>,
    ) -> Result<(u64, Difference), MediaError> {
        // Listed first: what was named by then and is not in the list is missing.
        let held = self.held(folder).await?;
        let mut named = Vec::new();
        while let Some(id) = walk.next_in(folder).await? {
            named.push(id);
        }
        Ok((named.len() as u64, compare(&named, &held)))
    }

    async fn pass_over_all(&self) -> Result<Passed, MediaError> {
        let mut walk = Walk::new(&*self.named);
        let mut passed = Passed::default();
        for folder in 0..=u8::MAX {
            let (named, difference) = self.difference(folder, &mut walk).await?;
            passed.named += named;
            let missing = self.fill(folder, &difference.missing).await;
            passed.missing += missing;
            passed.fetched += difference.missing.len() as u64 - missing;
            for id in difference.unnamed {
                passed.swept += u64::from(self.sweep(id).await?);
            }
        }
        passed.swept += self.sweep_drafts().await?;
        Ok(passed)
    }

    /// Fetches what is missing in a folder; gives how many still are.
    async fn fill(&self, folder: u8, missing: &[BlobId]) -> u64 {
        let gauge = &self.media.metrics.missing;
        let mut left = missing.len();
        gauge.set(folder, left);
        let mut waiting = missing.iter().map(|id| self.fill_one(*id));
        let mut fetches = FuturesUnordered::new();
        fetches.extend(waiting.by_ref().take(self.plan.fetches.max(1)));
        while let Some(filled) = fetches.next().await {
            fetches.extend(waiting.next());
            left -= usize::from(filled);
            gauge.set(folder, left);
        }
        left as u64
    }

    async fn fill_one(&self, id: BlobId) -> bool {
        // An upload may have brought it since the folder was listed.
        if matches!(self.media.exists(id).await, Ok(Some(_))) {
            return true;
        }
        match self.media.fetch(id, Some(&self.fetching)).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(blob = %id, %error, "a blob is missing and cannot be fetched");
                false
            }
        }
    }
}

/// Both in order.
fn compare(named: &[BlobId], held: &[Blob]) -> Difference {
    let mut difference = Difference::default();
    let mut held = held.iter().map(|blob| blob.hash).peekable();
    for id in named {
        while let Some(unnamed) = held.next_if(|held| held < id) {
            difference.unnamed.push(unnamed);
        }
        if held.next_if_eq(id).is_none() {
            difference.missing.push(*id);
        }
    }
    difference.unnamed.extend(held);
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_difference_is_that_of_the_sets(
            named in prop::collection::btree_set(0..40_u8, 0..40),
            held in prop::collection::btree_set(0..40_u8, 0..40),
        ) {
            let ids = |set: &BTreeSet<u8>| -> Vec<_> {
                set.iter().map(|n| BlobId::from_bytes([*n; 32])).collect()
            };
            let stand: Vec<_> = ids(&held)
                .into_iter()
                .map(|hash| Blob { hash, bytes: 1 })
                .collect();
            let difference = compare(&ids(&named), &stand);
            prop_assert_eq!(difference.missing, ids(&(&named - &held)));
            prop_assert_eq!(difference.unnamed, ids(&(&held - &named)));
        }
    }
}
