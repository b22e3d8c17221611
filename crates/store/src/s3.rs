//! Buckets of S3 services: Amazon's, or any that speaks its protocol (SeaweedFS, Ceph, MinIO, …).

use crate::connector::Connector;
use crate::place::PlaceError;
use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often a request that failed is repeated. Whoever asks has somebody waiting.
const REPEATS: usize = 3;
/// For how long it is repeated.
const REPEATED_FOR: Duration = Duration::from_secs(15);

/// A text that stands in no message.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A bucket, or a part of one.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Where the service is, such as `https://s3.seoul.example`; none for Amazon's own in `region`.
    /// Without TLS (`http://…`) everything can be read on the way; use it on a network of your own alone.
    pub endpoint: Option<String>,
    /// The service's region; many services take any.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// What stands before every name in it, such as `bongsu/media`; empty for nothing.
    pub prefix: String,
    /// Whose the requests are.
    pub access_key_id: String,
    /// What they are signed with.
    pub secret_access_key: Secret,
    /// A PEM file of the certificates to trust in; none for the operating system's.
    pub trusted: Option<PathBuf>,
}

impl Bucket {
    pub(crate) fn open(&self) -> Result<Arc<dyn ObjectStore>, PlaceError> {
        let retry = RetryConfig {
            backoff: BackoffConfig {
                max_backoff: Duration::from_secs(2),
                ..BackoffConfig::default()
            },
            max_retries: REPEATS,
            retry_timeout: REPEATED_FOR,
        };
        let mut builder = AmazonS3Builder::new()
            .with_region(&self.region)
            .with_bucket_name(&self.bucket)
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_access_key.0)
            .with_retry(retry)
            .with_http_connector(Connector::new(self.trusted.as_deref())?);
        if let Some(endpoint) = &self.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        let store = builder.build()?;
        Ok(if self.prefix.is_empty() {
            Arc::new(store)
        } else {
            Arc::new(PrefixStore::new(store, self.prefix.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_stands_in_no_message() {
        let bucket = Bucket {
            endpoint: None,
            region: "x".to_owned(),
            bucket: "x".to_owned(),
            prefix: String::new(),
            access_key_id: "x".to_owned(),
            secret_access_key: Secret::new("beacon"),
            trusted: None,
        };
        assert!(!format!("{bucket:?}").contains("beacon"));
    }
}
