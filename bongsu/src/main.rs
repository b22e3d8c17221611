//! The server of Bongsu and the tools of whoever runs it.
//!
//! It promises that every way to configure it means the same, that what it says to a person says what
//! to do, and that it stops without losing an answer. It holds no rule of any domain: it opens logs and
//! lanes, joins the domains' routers, and wires what crosses between them.

mod administer;
mod backup;
mod bank;
mod certificates;
mod cli;
mod cluster;
mod config;
mod control;
mod data;
mod doctor;
mod engine;
mod health;
mod metrics;
mod openapi;
mod operations;
mod page;
mod restore_log;
mod say;
mod serve;
mod telemetry;
mod verify;
mod wiring;

use administer::{What, administer};
use anyhow::{Context, Result};
use clap::Parser;
use cli::{Cli, PayVerb, Verb, Verify};
use config::{Config, Layer};
use data::DataDir;
use mimalloc::MiMalloc;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use telemetry::Telemetry;
use tokio::runtime::{Builder, Runtime};

/// What a password's hash takes (19 MiB) goes back to the system when it is done. The C library keeps it for
/// each of its arenas instead: after a few dozen sign-ins 800 MB.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    bongsu_store::use_crypto();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // The last words; whoever closed the standard error does not want them.
            let _ = writeln!(std::io::stderr(), "bongsu: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let Cli { config: file, verb } = cli;
    let load = |flags: Layer| Config::load(flags, file.clone(), |name| std::env::var_os(name));
    let runtime = runtime()?;
    match verb {
        Verb::Serve(flags) => {
            let config = load(*flags)?;
            runtime.block_on(async {
                let telemetry = Telemetry::start(&config)?;
                let served = serve::serve(&config, &telemetry).await;
                telemetry.stop().await;
                served
            })?;
        }
        Verb::User(verb) => runtime.block_on(administer(What::User(verb), quietly(load)))?,
        Verb::Room(verb) => runtime.block_on(administer(What::Room(verb), quietly(load)))?,
        Verb::Media(verb) => runtime.block_on(administer(What::Media(verb), quietly(load)))?,
        Verb::Report(verb) => runtime.block_on(administer(What::Report(verb), quietly(load)))?,
        Verb::Client(verb) => runtime.block_on(administer(What::Client(verb), quietly(load)))?,
        Verb::Pay(PayVerb::Reconcile(mut asked)) => {
            let config = quietly(load)(std::mem::take(&mut asked.how.place).into())?;
            return Ok(code(
                runtime.block_on(administer::reconcile(&asked, &config))?,
            ));
        }
        Verb::Pay(PayVerb::Ask(verb)) => {
            runtime.block_on(administer(What::Pay(verb), quietly(load)))?
        }
        Verb::Keys(verb) => runtime.block_on(administer(What::Keys(verb), quietly(load)))?,
        Verb::Audit(mut asked) => {
            let config = quietly(load)(std::mem::take(&mut asked.how.place).into())?;
            runtime.block_on(administer::audit(&asked, &config))?;
        }
        Verb::Backup(asked) => {
            let config = load(asked.place.into())?;
            Telemetry::warnings(&config)?;
            runtime.block_on(backup::backup(&DataDir::new(&config.data), &asked.to))?;
        }
        Verb::Restore(asked) => {
            let config = load(asked.place.into())?;
            Telemetry::warnings(&config)?;
            runtime.block_on(restore(&asked.from, &config))?;
        }
        Verb::Verify(asked) => return Ok(code(verified(&runtime, asked, load)?)),
        Verb::Doctor(place) => {
            let config = load(place.into())?;
            Telemetry::warnings(&config)?;
            runtime.block_on(doctor::doctor(&config))?;
        }
        Verb::RestoreLog(asked) => {
            let config = load(Layer::default())?;
            Telemetry::warnings(&config)?;
            runtime.block_on(restore_log::run(&asked, &config))?;
        }
        Verb::Certificates(verb) => certificates::run(&verb)?,
        Verb::Bank(asked) => runtime.block_on(bank::run(&asked))?,
        Verb::Cluster(asked) => runtime.block_on(cluster::run(&asked))?,
        Verb::Fire(asked) => {
            let own =
                std::env::current_exe().context("this program does not know where it lies")?;
            let held = runtime.block_on(bongsu_drill::run(&asked, &own))?;
            return Ok(code(held));
        }
        Verb::Openapi => say::line(openapi::text()?),
        Verb::Operations => say::line(operations::text()?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the data folder of the backup in `from`, moves its logs into the engine where there is one, and says how to go on.
async fn restore(from: &Path, config: &Config) -> Result<()> {
    let data = DataDir::new(&config.data);
    backup::restore(from, &data).await?;
    let command = &config.serve_command;
    if restore_log::move_in(&data, config).await? {
        say::line(format_args!(
            "The logs go on in the engine. Start this data centre with: {command}"
        ));
        say::line("Then start the others; they begin with its snapshots.");
    } else {
        say::line(format_args!("Start it with: {command}"));
    }
    Ok(())
}

/// Whether everything is what was written.
fn verified(
    runtime: &Runtime,
    mut asked: Verify,
    load: impl FnOnce(Layer) -> Result<Config>,
) -> Result<bool> {
    let config = load(std::mem::take(&mut asked.place).into())?;
    Telemetry::warnings(&config)?;
    if asked.all_sites {
        return runtime.block_on(verify::sites::verify(config.sites.as_ref()));
    }
    runtime.block_on(verify::verify(&DataDir::new(&config.data), &asked))
}

fn code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Loads the configuration of a tool, which says nothing but warnings.
fn quietly(load: impl FnOnce(Layer) -> Result<Config>) -> impl FnOnce(Layer) -> Result<Config> {
    move |flags| {
        let config = load(flags)?;
        Telemetry::warnings(&config)?;
        Ok(config)
    }
}

/// As many workers as there are cores, and a bound on the threads that wait for disks and hashes.
fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .context("no runtime")
}
