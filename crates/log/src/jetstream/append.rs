//! Appending to the engine.

use super::acks::Ack;
use super::engine::PublishError;
use super::envelope::seal;
use super::fault::Fault;
use super::shared::{Counters, Shared};
use crate::AppendError;
use bongsu_base::Seq;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The pause before what nobody was there to take is offered again.
const PAUSE: Duration = Duration::from_millis(100);

/// Appends one entry; see [`crate::Log::append`].
pub(super) async fn append(shared: &Shared, body: Bytes) -> Result<Seq, AppendError> {
    if let Some(fault) = shared.failed() {
        return Err(AppendError::Stopped(fault.to_string()));
    }
    let refused = |what: &str| AppendError::Refused(what.to_owned());
    if shared.acks.lock().full() {
        return Err(refused("this site's copy is too far behind"));
    }
    let _flight = shared
        .flights
        .try_acquire()
        .map_err(|_| refused("too many entries are on their way"))?;
    let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let _bytes = shared
        .bytes
        .try_acquire_many(bytes)
        .map_err(|_| refused("too many bytes are on their way"))?;
    let (message, checksum) = seal(&shared.origin.id, None, &body);
    let number = publish(shared, message).await?;
    let seq = shared.origin.entry(number);
    let ack = shared.acks.lock().acknowledge(number, checksum);
    let same = match ack {
        Ack::Ahead => true,
        Ack::Behind => is_there(shared, seq, &body).await?,
        Ack::Clash => false,
    };
    if !same {
        let what = "the engine acknowledged two entries under this number".to_owned();
        let fault = Fault::Altered { seq, what };
        shared.fail(fault.clone());
        return Err(AppendError::Stopped(fault.to_string()));
    }
    shared.kick.notify_one();
    Counters::add(&shared.counters.appended, 1);
    Ok(seq)
}

/// Publishes the message, again and again while nobody is there to take it.
async fn publish(shared: &Shared, message: Bytes) -> Result<u64, AppendError> {
    let begun = Instant::now();
    loop {
        let published = shared
            .engine
            .publish(&shared.origin, message.clone(), None)
            .await;
        match published {
            Ok(number) => return Ok(number),
            Err(PublishError::NobodyThere(why)) => {
                if begun.elapsed() >= shared.pace.append_within {
                    return Err(AppendError::Refused(why));
                }
            }
            Err(PublishError::Refused(why)) => return Err(AppendError::Refused(why)),
            Err(PublishError::Sealed) => {
                shared.fail(Fault::Sealed);
                return Err(AppendError::Stopped(Fault::Sealed.to_string()));
            }
            Err(PublishError::Unknown(why)) => {
                Counters::add(&shared.counters.unknown, 1);
                return Err(AppendError::Unknown(why));
            }
        }
        sleep(PAUSE).await;
        if let Some(fault) = shared.failed() {
            return Err(AppendError::Stopped(fault.to_string()));
        }
    }
}

/// Whether this site's copy has `body` at `seq`, which was read before it was acknowledged.
async fn is_there(shared: &Shared, seq: Seq, body: &Bytes) -> Result<bool, AppendError> {
    let before = Seq(seq.0.saturating_sub(1));
    // It is about to be committed, unless the copy cannot be written.
    let mut health = shared.health.subscribe();
    tokio::select! {
        biased;
        () = shared.mirror.wait(before) => {}
        _ = health.wait_for(|health| health.failed.is_some()) => {}
    }
    match shared.mirror.read(before, 0).await {
        Ok(entries) => Ok(entries.first().is_some_and(|entry| entry.body == *body)),
        Err(error) => Err(AppendError::Unknown(error.to_string())),
    }
}
