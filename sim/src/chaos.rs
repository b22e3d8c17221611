//! What goes wrong while the clients ask.

use crate::Dice;
use crate::workload::Workload;
use crate::world::{SITES, World};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Makes trouble, for ever.
pub async fn reign<W: Workload>(world: Arc<World<W>>, mut dice: Dice) {
    let quiet = dice.u64(200..3_000);
    loop {
        sleep(Duration::from_millis(dice.u64(10..quiet))).await;
        let site = &world.sites[dice.usize(0..SITES)];
        match dice.u32(0..10) {
            0..=2 => site.crash(),
            3 => {
                if let Some(lane) = site.lane() {
                    lane.close().await;
                }
            }
            4 | 5 => {
                world.ground.cut(site.number, true);
                sleep(Duration::from_millis(dice.u64(10..4_000))).await;
                world.ground.cut(site.number, false);
            }
            6 => {
                let span = Duration::from_millis(dice.u64(10..1_500));
                world.ground.stop(span).await;
            }
            7 | 8 => {
                if let Some(lane) = site.lane() {
                    // It may fail in many ways that are no concern of the others.
                    let _ = lane.snapshot().await;
                }
                world.ground.tidy().await;
            }
            _ => {
                world.ground.set_rough(false);
                sleep(Duration::from_millis(dice.u64(10..1_000))).await;
                world.ground.set_rough(true);
            }
        }
    }
}

/// Ends all trouble.
pub fn calm<W: Workload>(world: &World<W>) {
    world.ground.calm();
    for site in &world.sites {
        site.spare();
    }
}
