//! What a service elsewhere said to people's tokens, compared with what it has to say: it verifies with what it heard of
//! the platform last, for as long as it says that it does, and no longer.

use super::Findings;
use crate::ledger::{Token, Told};
use std::time::Duration;

/// How much clocks of whole seconds, and lists that are given out for two, may add.
const SLACK: Duration = Duration::from_secs(4);
/// How long it may take to hear something again once two data centres live.
const AGAIN: Duration = Duration::from_secs(15);

/// Somebody came with a token.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The token, as it had to be when they came.
    pub token: Token,
    /// How long it had been taken back, and that acknowledged.
    pub revoked_for: Duration,
    /// How old, while it answered, what it had heard of the platform was, at the least and at the most.
    pub heard: (Duration, Duration),
    /// For how long two data centres had been living.
    pub two_lived_for: Duration,
    /// What it said. Where it says that it cannot tell, [`UNSURE`].
    pub said: Told,
}

/// What a service says that has heard nothing for too long.
pub const UNSURE: &str = "it cannot tell";

/// Compares what was said with what has to be, where what was heard is relied on for `bound`.
pub fn visits(visits: &[Visit], bound: Duration) -> Findings {
    let mut findings = Findings::default();
    for visit in visits {
        visited(visit, bound, &mut findings);
    }
    findings
}

fn visited(visit: &Visit, bound: Duration, findings: &mut Findings) {
    let user = &visit.token.user;
    let unsure = visit.said == Told::Else(UNSURE.to_owned());
    let owner = visit.said == Told::Owner(user.clone());
    let (least, most) = visit.heard;
    if visit.token.revoked {
        // A list that was made before it was taken back is not relied on any more.
        if owner && visit.revoked_for > bound + SLACK {
            findings.tokens_revived += 1;
            findings.problem(format!(
                "the partner takes a token of {user} that was taken back {} s before",
                visit.revoked_for.as_secs()
            ));
        } else if !owner && !unsure && visit.said != Told::Refused {
            odd(visit, findings);
        }
        return;
    }
    if owner {
        if least > bound + SLACK {
            findings.unfaithful += 1;
            findings.problem(format!(
                "the partner takes a token of {user}, and heard nothing for {} s",
                least.as_secs()
            ));
        }
    } else if unsure {
        if most + SLACK < bound || visit.two_lived_for > AGAIN {
            findings.tokens_refused += 1;
            findings.problem(format!(
                "the partner cannot tell about a token of {user}, heard something {} s before, and two data centres live \
                 for {} s",
                most.as_secs(),
                visit.two_lived_for.as_secs()
            ));
        }
    } else if visit.said == Told::Refused {
        findings.tokens_refused += 1;
        findings.problem(format!("the partner refuses a good token of {user}"));
    } else {
        odd(visit, findings);
    }
}

fn odd(visit: &Visit, findings: &mut Findings) {
    findings.unfaithful += 1;
    let (user, said) = (&visit.token.user, &visit.said);
    findings.problem(format!("the partner says {said:?} to a token of {user}"));
}
