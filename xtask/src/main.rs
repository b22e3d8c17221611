//! The command line of the repository's chores.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use xtask::{generate, tidy, workspace};

/// The repository's chores; `make help` lists the ones that people use.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write the files that are made from the code.
    Generate {
        /// Change nothing; fail if a file is not what it would be.
        #[arg(long)]
        check: bool,
    },
    /// Check the rules of STYLE.md that are about text (the tests do this too).
    Tidy,
}

fn main() -> anyhow::Result<ExitCode> {
    let root = workspace::root();
    let complaints = match Arguments::parse().chore {
        Chore::Generate { check: false } => {
            generate::write(&root)?;
            Vec::new()
        }
        Chore::Generate { check: true } => generate::check(&root)?,
        Chore::Tidy => tidy::check(&root)?
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    Ok(if complaints.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
