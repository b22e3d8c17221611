//! Which blobs are still wanted.

use crate::blob::BlobId;
use crate::error::MediaError;
use async_trait::async_trait;
use bongsu_base::LogTime;
use std::collections::VecDeque;
use std::fmt::Debug;

/// Why it cannot be told.
pub type NamedError = Box<dyn std::error::Error + Send + Sync>;

/// How many names are asked for at once.
const PAGE: usize = 1000;

/// Tells which blobs are named, as this data centre's view has it.
#[async_trait]
pub trait Named: Debug + Send + Sync + 'static {
    /// The log's time up to which the view has been applied: whatever was said before it counts in
    /// answers that are given from now on.
    async fn as_of(&self) -> Result<LogTime, NamedError>;

    /// Whether anything names this blob.
    async fn is_named(&self, id: BlobId) -> Result<bool, NamedError>;

    /// The named blobs after `after`, by id, each once, at most `most`: fewer when there are no more.
    async fn page(&self, after: Option<BlobId>, most: usize) -> Result<Vec<BlobId>, NamedError>;
}

/// Goes through all named blobs in order.
pub(crate) struct Walk<'n> {
    named: &'n dyn Named,
    page: VecDeque<BlobId>,
    after: Option<BlobId>,
    ended: bool,
}

impl<'n> Walk<'n> {
    pub(crate) fn new(named: &'n dyn Named) -> Self {
        Self {
            named,
            page: VecDeque::new(),
            after: None,
            ended: false,
        }
    }

    /// The next one, if it belongs into `folder` or one before.
    pub(crate) async fn next_in(&mut self, folder: u8) -> Result<Option<BlobId>, MediaError> {
        if self.page.is_empty() && !self.ended {
            let page = self.named.page(self.after, PAGE).await;
            self.page = page.map_err(MediaError::Named)?.into();
            self.ended = self.page.len() < PAGE;
            self.after = self.page.back().copied().or(self.after);
        }
        let ours = |id: &&BlobId| id.folder() <= folder;
        if self.page.front().filter(ours).is_none() {
            return Ok(None);
        }
        Ok(self.page.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many names, spread over all folders.
    #[derive(Debug)]
    struct Names(Vec<BlobId>);

    #[async_trait]
    impl Named for Names {
        async fn as_of(&self) -> Result<LogTime, NamedError> {
            Err("nobody asks".into())
        }

        async fn is_named(&self, _: BlobId) -> Result<bool, NamedError> {
            Err("nobody asks".into())
        }

        async fn page(
            &self,
            after: Option<BlobId>,
            most: usize,
        ) -> Result<Vec<BlobId>, NamedError> {
            let from = after.map_or(0, |after| self.0.partition_point(|id| *id <= after));
            Ok(self.0[from..].iter().take(most).copied().collect())
        }
    }

    #[tokio::test]
    async fn a_walk_meets_every_name_once_and_in_its_folder() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2500] {
            let mut all: Vec<_> = (0..count).map(|n| BlobId::of(&n.to_le_bytes())).collect();
            all.sort_unstable();
            let names = Names(all);
            let (mut walk, mut met) = (Walk::new(&names), Vec::new());
            for folder in 0..=u8::MAX {
                while let Some(id) = walk.next_in(folder).await.expect("it is told") {
                    assert_eq!(id.folder(), folder);
                    met.push(id);
                }
            }
            assert_eq!(met, names.0);
        }
    }
}
