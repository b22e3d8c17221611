//! How long what was asked again and again took.

use crate::report::at;
use anyhow::{Result, ensure};
use std::time::Duration;

/// What came of it.
pub struct Waits {
    span: Duration,
    /// How long each took, the shortest first.
    took: Vec<Duration>,
}

impl Waits {
    /// Of what each connection measured within `span`.
    pub fn of(span: Duration, mut took: Vec<Duration>) -> Result<Self> {
        ensure!(!took.is_empty(), "nothing was answered");
        took.sort();
        Ok(Self { span, took })
    }

    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.span.as_secs_f64()
    }

    pub fn p50(&self) -> f64 {
        at(&self.took, 0.5)
    }

    pub fn p99(&self) -> f64 {
        at(&self.took, 0.99)
    }
}
