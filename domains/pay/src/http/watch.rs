//! Looking after what has to be so, for the metrics.

use super::Api;
use crate::bank::BankOrders;
use crate::query;
use bongsu_lane::LaneState;
use std::time::Duration;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);

impl Api {
    /// Measures whatever waits, until the lane ends.
    pub async fn keep_watched(self) {
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            self.look_at_bank().await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Gives orders to the bank, if there is one, whenever this process holds the lane's lease, until the lane ends.
    pub async fn keep_ordering(self) {
        if let Some(bank) = self.bank.asked {
            let orders = BankOrders::new(self.lane.clone(), bank, self.bank.metrics);
            self.lane.run_effects(orders).await;
        }
    }

    async fn look_at_bank(&self) {
        let now = self.lane.progress().time;
        match self.lane.read(query::waits_since).await {
            Ok(since) => {
                let age = since.map_or(0, |since| now.since(since).0);
                self.bank.metrics.waits_since(age);
            }
            Err(error) => {
                tracing::warn!(%error, "what waits for the bank cannot be read");
            }
        }
    }
}
