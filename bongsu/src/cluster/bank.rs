//! The bank of a cluster: a process outside of every data centre.

use super::plan::Plan;
use super::process::Program;
use super::site::Part;
use anyhow::{Context, Result};

/// The bank, not yet started. Its data, what it says and its process id are in DIR/bank.
pub fn part(plan: &Plan) -> Result<Part> {
    let dir = plan.dir().join("bank");
    std::fs::create_dir_all(&dir)
        .with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    let own = std::env::current_exe().context("this program does not know where it lies")?;
    let (folder, listen) = (dir.display().to_string(), plan.bank().to_string());
    let arguments = ["bank", "--dir", &folder, "--listen", &listen].map(str::to_owned);
    Ok(Part::new(Program {
        name: "bank",
        binary: own,
        arguments: arguments.to_vec(),
        environment: Vec::new(),
        dir,
    }))
}
