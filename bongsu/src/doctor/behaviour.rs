//! Whether all data centres have the release that is here, as the server that runs sees it.

use super::Findings;
use crate::control::client::Control;
use crate::health::{READY, Readiness};
use anyhow::Result;

/// Asks the server.
pub async fn all(findings: &mut Findings, control: &mut Control) {
    match ask(control).await {
        Ok(readiness) => tell(findings, &readiness),
        Err(error) => findings.advise(format!("the server does not say how it is: {error:#}")),
    }
}

async fn ask(control: &mut Control) -> Result<Readiness> {
    // It answers as fully when it is not ready.
    let (_, body) = control.look(READY).await?;
    Ok(serde_json::from_slice(&body)?)
}

fn tell(findings: &mut Findings, readiness: &Readiness) {
    for domain in &readiness.domains {
        if domain.behaviour < domain.knows {
            findings.advise(format!(
                "{}: behaviour {} is active, and this release knows {}: upgrade the other data centres, and start those \
                 that do not run; see \"Upgrading\" in docs/operate.md",
                domain.domain, domain.behaviour, domain.knows
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::DomainHealth;

    #[test]
    fn what_waits_for_the_other_data_centres_is_named() {
        let domain = |name: &str, behaviour, knows| DomainHealth {
            domain: name.to_owned(),
            ready: true,
            state: "running".to_owned(),
            reason: None,
            applied: 1,
            behaviour,
            knows,
            canary_age_ms: None,
            canary_took_ms: None,
        };
        let readiness = Readiness {
            ready: true,
            domains: vec![domain("talk", 1, 2), domain("pay", 2, 2)],
        };
        let mut findings = Findings::default();
        tell(&mut findings, &readiness);
        let [advice] = &findings.advice[..] else {
            panic!("{:?}", findings.advice);
        };
        assert!(advice.starts_with("talk: behaviour 1 is active, and this release knows 2"));
    }
}
