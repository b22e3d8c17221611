//! Doing what is due by the log's time. What is due is decided by applying; here it is only found and asked for, by
//! whoever holds the lane's lease.

use super::Api;
use crate::command::Command;
use crate::query;
use bongsu_lane::{Actor, LaneState, Priority};
use std::time::Duration;

/// How many one record ends.
const AT_ONCE: u32 = 200;
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);

impl Api {
    /// Does what is due whenever this process holds the lane's lease, until the lane ends.
    pub async fn keep_swept(self) {
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            let swept = self.lane.leads() && self.is_due().await && self.sweep().await;
            if !swept {
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    async fn is_due(&self) -> bool {
        let now = self.lane.progress().time;
        let due = self.lane.read(|view| query::is_due(view, now)).await;
        due.unwrap_or(false)
    }

    /// Ends some of what is due; whether that was done.
    async fn sweep(&self) -> bool {
        let command = Command::Sweep { most: AT_ONCE };
        let request = self
            .lane
            .request(Actor::Platform, Priority::Background, command);
        let swept = self.lane.submit(request).await;
        if let Err(error) = &swept {
            tracing::warn!(%error, "what has expired could not be ended; trying again later");
        }
        swept.is_ok()
    }
}
