//! Doubt in a stream's leader. One that was cut off takes messages for about ten seconds before it notices that nobody else
//! has them. What it takes meanwhile it has to take back once the cut heals, which NATS 2.15 does one entry at a time with
//! two seconds in between, and its copy is behind for as long. So who was left without an answer gives it nothing more
//! before it has heard of a majority.

use super::api::Cluster;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer about the leader counts.
const FRESH: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Doubt {
    /// When the last message was given to the leader that it left unanswered, unless it has answered since.
    since: Mutex<Option<Instant>>,
    /// What was learned last. Whoever asks does so for all that wait.
    learned: tokio::sync::Mutex<Option<Learned>>,
}

struct Learned {
    at: Instant,
    since: Instant,
    heard: bool,
}

impl Doubt {
    /// What was sent at `sent` has no answer.
    pub fn unanswered(&self, sent: Instant) {
        let mut since = self.since.lock();
        *since = Some(since.map_or(sent, |before| before.max(sent)));
    }

    /// What was sent at `sent` has one.
    pub fn answered(&self, sent: Instant) {
        self.since.lock().take_if(|since| *since <= sent);
    }

    /// Whether the leader can be given more. `ask` learns who follows it.
    pub async fn lets_through(&self, ask: impl Future<Output = Option<Cluster>>) -> bool {
        let Some(since) = *self.since.lock() else {
            return true;
        };
        let mut learned = self.learned.lock().await;
        if let Some(known) = &*learned
            && known.at.elapsed() < FRESH
            && known.since == since
        {
            return known.heard;
        }
        let heard = match ask.await {
            Some(cluster) => has_heard(&cluster, since.elapsed()),
            None => false,
        };
        let at = Instant::now();
        *learned = Some(Learned { at, since, heard });
        heard
    }
}

/// Whether a majority, the leader counted, was heard of within `span`.
fn has_heard(cluster: &Cluster, span: Duration) -> bool {
    let within = |nanoseconds: u64| Duration::from_nanos(nanoseconds) < span;
    let heard = cluster.replicas.iter();
    let heard = heard.filter(|replica| !replica.offline && within(replica.active));
    let servers = cluster.replicas.len() + 1;
    cluster.leader.is_some() && 2 * (heard.count() + 1) > servers
}

#[cfg(test)]
mod tests {
    use super::super::api::Replica;
    use super::*;

    fn cluster(leads: bool, heard_ms: &[u64]) -> Cluster {
        let replica = |ms: &u64| Replica {
            current: true,
            offline: false,
            active: ms * 1_000_000,
        };
        Cluster {
            leader: leads.then(|| "n1".to_owned()),
            replicas: heard_ms.iter().map(replica).collect(),
        }
    }

    #[test]
    fn a_majority_has_to_have_been_heard_of() {
        let span = Duration::from_millis(800);
        for (leads, heard, expect) in [
            (true, &[10, 900][..], true),
            (true, &[900, 900], false),
            (true, &[800, 800], false),
            (true, &[], true),
            (true, &[900], false),
            (true, &[10, 10, 900, 900], true),
            (true, &[10, 900, 900, 900], false),
            (false, &[10, 10], false),
        ] {
            let found = has_heard(&cluster(leads, heard), span);
            assert_eq!(found, expect, "{leads} {heard:?}");
        }
        let mut gone = cluster(true, &[10, 900]);
        gone.replicas[0].offline = true;
        assert!(!has_heard(&gone, span));
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_is_only_asked_about_while_it_owes_an_answer() {
        let doubt = Doubt::default();
        let silent = async || None;
        assert!(doubt.lets_through(silent()).await, "nothing was sent");
        let sent = Instant::now();
        doubt.unanswered(sent);
        tokio::time::advance(Duration::from_millis(800)).await;
        assert!(!doubt.lets_through(silent()).await);
        let heard = async || Some(cluster(true, &[10, 10]));
        assert!(!doubt.lets_through(heard()).await, "that was just asked");
        tokio::time::advance(FRESH).await;
        assert!(doubt.lets_through(heard()).await);
        doubt.unanswered(sent + Duration::from_millis(500));
        doubt.answered(sent);
        tokio::time::advance(FRESH).await;
        assert!(!doubt.lets_through(silent()).await, "of an older message");
        doubt.answered(sent + Duration::from_millis(600));
        assert!(doubt.lets_through(silent()).await);
    }
}
