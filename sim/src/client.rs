//! One client: it asks, and asks again elsewhere until it is told.

use crate::Dice;
use crate::workload::Workload;
use crate::world::{SITES, World};
use bongsu_base::RecordId;
use bongsu_lane::{Decision, Domain, Request, SubmitError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Asks all that client number `me` has to ask.
pub async fn ask_all<W: Workload>(world: Arc<World<W>>, me: usize, mut dice: Dice) {
    for n in 0..world.plan.commands {
        sleep(Duration::from_millis(dice.u64(0..600))).await;
        let id = RecordId::named(&["client", &me.to_string()], &n.to_string());
        let asked = world.workload.lock().next(me, &mut dice);
        let floor = world.record.lock().highest;
        let mut again = 1 + u32::from(dice.u32(0..4) == 0);
        while again > 0 {
            let request = Request {
                id,
                actor: asked.actor.clone(),
                priority: asked.priority,
                command: asked.command.clone(),
            };
            match ask_somebody(&world, request, &mut dice).await {
                Ok(decision) => {
                    again -= 1;
                    let mut record = world.record.lock();
                    let news = record.tell(id, &asked.command, floor, &decision).cloned();
                    drop(record);
                    if let Some(told) = news {
                        world.workload.lock().heard(me, &told);
                    }
                }
                Err(SubmitError::Defect | SubmitError::TooLarge) => {
                    let wrong = format!("client {me}'s command number {n} is a defect");
                    world.record.lock().wrong.push(wrong);
                    return;
                }
                Err(_) => sleep(Duration::from_millis(dice.u64(20..500))).await,
            }
        }
    }
}

type Answer<W> = Result<Decision<<W as Workload>::Domain>, SubmitError>;

/// Asks a site, sometimes without patience.
async fn ask_somebody<W: Workload>(
    world: &World<W>,
    request: Request<<W::Domain as Domain>::Command>,
    dice: &mut Dice,
) -> Answer<W> {
    let lane = world.sites[dice.usize(0..SITES)].lane();
    let lane = lane.ok_or(SubmitError::Unknown)?;
    let patience = Duration::from_millis(match dice.u32(0..6) {
        0 => dice.u64(1..300),
        _ => 60_000,
    });
    let answer = timeout(patience, lane.submit(request)).await;
    answer.unwrap_or(Err(SubmitError::Unknown))
}
