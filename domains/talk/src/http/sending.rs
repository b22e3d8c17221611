//! Answers before echoes. Client libraries expect the answer to what they sent before a sync shows it to the
//! same device (matrix-js-sdk leaves a message in a thread unsent for ever otherwise), and here a sync can be as
//! quick as the answer.

use bongsu_base::{DeviceId, UserId};
use bongsu_web_kit::Caller;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long a sync waits for answers at most.
const PATIENCE: Duration = Duration::from_millis(100);
/// How much later than the answer the echo is sent: each has a connection of its own, and a client that reads
/// both at once may take them in either order.
const LATER: Duration = Duration::from_millis(25);

type Device = (UserId, DeviceId);

/// How many of each device's requests that name a transaction are under way. Cloning it gives another handle.
#[derive(Debug, Clone, Default)]
pub struct Sending(Arc<Mutex<HashMap<Device, watch::Sender<usize>>>>);

/// While it lives, a request is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    sending: Sending,
    device: Device,
}

fn device(caller: &Caller) -> Device {
    (caller.user.clone(), caller.device.clone())
}

impl Sending {
    /// A request of the caller's device begins.
    pub(super) fn begin(&self, caller: &Caller) -> UnderWay {
        let device = device(caller);
        let mut sending = self.0.lock();
        let count = sending.entry(device.clone()).or_default();
        count.send_modify(|count| *count += 1);
        drop(sending);
        let sending = self.clone();
        UnderWay { sending, device }
    }

    /// Returns a moment after the requests of the caller's device that are under way were answered.
    pub(super) async fn answered(&self, caller: &Caller) {
        let count = self
            .0
            .lock()
            .get(&device(caller))
            .map(watch::Sender::subscribe);
        if let Some(mut count) = count {
            // It ends with the last of them as well, and a slow one holds nobody up for long.
            let _ = timeout(PATIENCE, count.wait_for(|count| *count == 0)).await;
        }
        sleep(LATER).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut sending = self.sending.0.lock();
        if let Some(count) = sending.get(&self.device) {
            count.send_modify(|count| *count -= 1);
            if *count.borrow() == 0 {
                sending.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn caller(device: &str) -> Caller {
        Caller {
            user: "@m:b".parse().expect("an id"),
            device: device.parse().expect("an id"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sync_waits_for_the_answers_to_its_own_device_alone() {
        let sending = Sending::default();
        let (one, other) = (caller("A"), caller("B"));
        let (first, second) = (sending.begin(&one), sending.begin(&one));
        let took = async |caller: &Caller| {
            let begun = Instant::now();
            sending.answered(caller).await;
            begun.elapsed()
        };
        let near = |took: Duration, wanted| took >= wanted && took < wanted + LATER / 2;
        assert!(near(took(&other).await, LATER));
        let both = tokio::join!(took(&one), async {
            drop(first);
            sleep(LATER).await;
            drop(second);
        });
        assert!(near(both.0, 2 * LATER), "{both:?}");
        assert!(sending.0.lock().is_empty());
        // One that is not answered for long holds nobody up.
        let _slow = sending.begin(&one);
        assert!(near(took(&one).await, PATIENCE + LATER));
    }
}
