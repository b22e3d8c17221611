//! How the engine of the logs is, as the server that runs sees it.

use super::Findings;
use crate::control::client::Control;
use crate::engine::{LogStatus, PATH};
use anyhow::{Result, ensure};

/// Asks the server; one that runs on one machine alone has no engine.
pub async fn logs(findings: &mut Findings, control: &mut Control) {
    match ask(control).await {
        Ok(logs) => logs.iter().for_each(|log| tell(findings, log)),
        Err(error) => findings.advise(format!(
            "the server does not say how the engine of its logs is: {error:#}"
        )),
    }
}

async fn ask(control: &mut Control) -> Result<Vec<LogStatus>> {
    let (status, body) = control.look(PATH).await?;
    ensure!(status.is_success(), "it answers {status}");
    Ok(serde_json::from_slice(&body)?)
}

fn tell(findings: &mut Findings, log: &LogStatus) {
    let LogStatus {
        lane,
        replicas,
        current,
        ..
    } = log;
    let place = match (log.led, log.led_here) {
        (true, true) => "led from here",
        (true, false) => "led from elsewhere",
        (false, _) => "nobody leads it, or the engine is silent",
    };
    let state = format!("{current} of {replicas} copies current, {place}");
    findings.line(&format!("log {lane}"), state);
    if !log.led {
        findings.advise(format!(
            "the log of {lane} takes nothing as far as this data centre knows: see that a majority of the engine's \
             servers run and reach one another, and this one them"
        ));
    } else if current < replicas {
        findings.advise(format!(
            "the log of {lane} is current on {current} of {replicas} servers of the engine: see what the others lack \
             before another one is taken down"
        ));
    }
    if let Some(damage) = &log.damage {
        findings.advise(format!(
            "the log of {lane}: {damage}; see \"When the log itself is damaged\" in docs/operate.md"
        ));
    }
}
