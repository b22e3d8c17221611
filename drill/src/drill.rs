//! The drill from its beginning to its end.

use crate::check::Findings;
use crate::client::Client;
use crate::cluster::{self, Cluster, SITES, name};
use crate::day;
use crate::disk;
use crate::engine::Engine;
use crate::ground::{Ground, Site, Stage};
use crate::options::Fire;
use crate::plan::{Needs, Plan, Scenario, Step};
use crate::reads::Reads;
use crate::record::{BUCKET_MS, Recorder, millis};
use crate::report::{Report, Round, VERSION, say};
use crate::strike::Striker;
use crate::traffic::{self, Traffic};
use crate::whole;
use anyhow::{Context, Result, bail};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How long data centres may take after a scenario to have applied everything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long what was begun may take to end after a scenario, before the drill itself is broken.
const ENDING: Duration = Duration::from_secs(120);
/// Who runs the platform.
const OPERATOR: &str = "warden";

/// Holds it. Gives whether everything that was promised held.
pub async fn hold(asked: &Fire, binary: &Path) -> Result<bool> {
    let begun = Instant::now();
    let plan = Plan::new(&asked.scenario, asked.seed)?;
    let folder = Folder::new(asked)?;
    say("starting three data centres");
    let cluster = Cluster::start(binary, &folder.path).await?;
    let engine = Engine::connect(&cluster).await?;
    let ground = Arc::new(ground(asked, &cluster).await?);
    let traffic = traffic::all();
    for one in &traffic {
        one.prepare(&ground)
            .await
            .with_context(|| format!("preparing {}", one.name()))?;
    }
    say(&format!(
        "{:>4} s  everybody is there",
        begun.elapsed().as_secs()
    ));
    let mut drill = Drill {
        report: report(asked),
        cluster,
        engine,
        reads: reads(&ground).await?,
        ground,
        traffic,
        begun,
    };
    let held = drill.all(asked, plan).await;
    match held {
        Ok(()) => {
            if let Err(error) = drill.cluster.stop().await {
                drill.report.problems.push(format!("at the end: {error:#}"));
            }
        }
        Err(error) => {
            say(&drill.cluster.written());
            folder.keep();
            return Err(error);
        }
    }
    drill.write(asked)?;
    say(&drill.report.table());
    let held = drill.report.held();
    if !held {
        folder.keep();
    }
    Ok(held)
}

/// Where the data centres are.
struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Folder {
    fn new(asked: &Fire) -> Result<Self> {
        if let Some(path) = &asked.dir {
            std::fs::create_dir_all(path)?;
            let path = path.canonicalize()?;
            return Ok(Self {
                path,
                temporary: None,
            });
        }
        let temporary = tempfile::Builder::new().prefix("bongsu-fire-").tempdir()?;
        Ok(Self {
            path: temporary.path().to_owned(),
            temporary: Some(temporary),
        })
    }

    /// Leaves it for whoever looks into what went wrong.
    fn keep(self) {
        let path = match self.temporary {
            Some(temporary) => temporary.keep(),
            None => self.path,
        };
        say(&format!(
            "the data centres' folders are kept in {}",
            path.display()
        ));
    }
}

fn report(asked: &Fire) -> Report {
    Report {
        version: VERSION,
        seed: asked.seed,
        begun: day::seconds().unsigned_abs(),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        people: asked.people,
        ..Report::default()
    }
}

async fn ground(asked: &Fire, cluster: &Cluster) -> Result<Ground> {
    let first = [Site {
        name: name(0),
        address: cluster.address(0),
    }];
    let mut client = Client::new(&Arc::from(first), 0);
    let listed = client.value(0, "/.well-known/bongsu").await;
    let sites = cluster::sites(&listed.context("/.well-known/bongsu gives nothing")?)?;
    let sites = Arc::from(sites);
    Ok(Ground {
        bank: cluster.bank(),
        operator: operator(cluster, &sites).await?,
        sites,
        seed: asked.seed,
        people: asked.people as usize,
        rate: asked.rate,
    })
}

/// The token of an account that may administer the platform.
async fn operator(cluster: &Cluster, sites: &Arc<[Site]>) -> Result<String> {
    let added = ["user", "add", OPERATOR, "--admin", "--json"];
    let added = cluster.command(0, &added).await?;
    let made: serde_json::Value = serde_json::from_slice(&added.stdout)
        .with_context(|| String::from_utf8_lossy(&added.stderr).into_owned())?;
    let password = made["password"].as_str().context("no password")?;
    traffic::sign_in(sites, OPERATOR, password).await
}

/// Somebody who reads, in a room that is there before everything.
async fn reads(ground: &Ground) -> Result<Reads> {
    let (session, room) = traffic::reader(ground).await?;
    Ok(Reads { session, room })
}

/// Where a scenario stands among the others.
struct When {
    number: u32,
    last: bool,
    /// Whether the next one needs a disk that can be full.
    limited: bool,
}

struct Drill {
    report: Report,
    cluster: Cluster,
    engine: Engine,
    ground: Arc<Ground>,
    traffic: Vec<Arc<dyn Traffic>>,
    reads: Reads,
    begun: Instant,
}

impl Drill {
    /// All scenarios, and a last look at everything.
    async fn all(&mut self, asked: &Fire, mut plan: Plan) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let enough = Duration::from_secs(asked.seconds);
        let work = async {
            let mut lacking = BTreeMap::new();
            let mut number = 0;
            while let Some(scenario) = plan.next(self.begun.elapsed() < enough) {
                if let Some(why) = lacks(scenario.needs, &mut lacking) {
                    let name = scenario.name.to_owned();
                    self.report.skipped.insert(name, why.to_owned());
                    if self.report.scenarios.is_empty()
                        && self.report.skipped.len() == crate::plan::SCENARIOS.len()
                    {
                        bail!("this machine can do none of it: {why}");
                    }
                    continue;
                }
                let (drawn, rng) = (plan.draw(), plan.rng.fork());
                let when = When {
                    number,
                    last: plan.is_over() && self.begun.elapsed() >= enough,
                    limited: plan.coming().is_some_and(|next| {
                        next.needs == Needs::Mount && lacks(next.needs, &mut lacking).is_none()
                    }),
                };
                let held = self.one(scenario, when, drawn, rng).await;
                held.with_context(|| scenario.name)?;
                self.write(asked)?;
                number += 1;
            }
            self.end().await
        };
        tokio::select! {
            done = work => done,
            _ = terminate.recv() => bail!("stopped by SIGTERM"),
            _ = interrupt.recv() => bail!("stopped by SIGINT"),
        }
    }

    /// One scenario.
    async fn one(
        &mut self,
        scenario: &Scenario,
        when: When,
        drawn: [usize; SITES],
        rng: Rng,
    ) -> Result<()> {
        self.engine.spread().await;
        let recorder = Arc::new(Recorder::new(SITES));
        let (end, ended) = watch::channel(None);
        let stage = Stage {
            ground: self.ground.clone(),
            recorder: recorder.clone(),
            round: when.number,
            ended,
        };
        let mut round = Round {
            name: scenario.name.to_owned(),
            what: scenario.what.to_owned(),
            bucket_ms: BUCKET_MS,
            ..Round::default()
        };
        let mut working = JoinSet::new();
        for one in &self.traffic {
            let (one, stage) = (one.clone(), stage.clone());
            working.spawn(async move { one.work(stage).await });
        }
        let reads = self.reads.clone().work(&stage);
        let probe = self.engine.probe(&stage);
        let mut striker = Striker::new(
            &mut self.cluster,
            &self.engine,
            recorder.clone(),
            drawn,
            rng,
        )
        .await?;
        striker.limited = when.limited;
        let work = async {
            let done = steps(&mut striker, scenario, when.last, &mut round).await;
            end.send_replace(Some(Instant::now()));
            done.map(|()| striker.election())
        };
        let (elected, probed, ()) = tokio::join!(work, probe, reads);
        let ending = async {
            while let Some(done) = working.join_next().await {
                done??;
            }
            Ok::<_, anyhow::Error>(())
        };
        timeout(ENDING, ending)
            .await
            .context("traffic does not end")??;
        drop(striker);
        round.lasted_ms = millis(recorder.now());
        let sites = self.ground.sites.iter().map(|site| site.name.clone());
        let sites: Vec<String> = sites.chain([traffic::PARTNER.to_owned()]).collect();
        round.seen(recorder.take(), &sites);
        round.engine(elected?.max(probed?));
        let found = self.look(&stage).await?;
        round.figures.find(&found);
        round.problems.extend(found.problems);
        self.report.lasted(self.begun.elapsed());
        say(&line(&round, self.begun.elapsed()));
        self.report.add(round);
        Ok(())
    }

    /// Looks for everything that was acknowledged in a stage.
    async fn look(&self, stage: &Stage) -> Result<Findings> {
        let mut findings = Findings::default();
        if !self.applied().await? {
            findings.problem("data centres do not come to the same entry");
        }
        let checks = self.traffic.iter().map(|one| one.check(stage));
        let (checked, digests) =
            tokio::join!(futures_util::future::try_join_all(checks), self.digests());
        for found in checked? {
            findings.add(found);
        }
        findings.add(digests?);
        Ok(findings)
    }

    /// Returns once every data centre has applied all that any of them had when this began; whether that came.
    async fn applied(&self) -> Result<bool> {
        let mut client = Client::new(&self.ground.sites, 0);
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for site in 0..SITES {
            for (domain, applied) in applied(&mut client, site).await {
                let most = wanted.entry(domain).or_default();
                *most = applied.max(*most);
            }
        }
        let deadline = Instant::now() + PATIENCE;
        for site in 0..SITES {
            loop {
                let found = applied(&mut client, site).await;
                let reached = |(domain, most): (&String, &u64)| {
                    found.get(domain).is_some_and(|found| found >= most)
                };
                if wanted.iter().all(reached) {
                    break;
                }
                if Instant::now() > deadline {
                    return Ok(false);
                }
                sleep(cluster::LOOK).await;
            }
        }
        Ok(true)
    }

    /// Has the platform compare its digests.
    async fn digests(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let verified = self.cluster.command(0, &["verify", "--all-sites"]).await?;
        if !verified.status.success() {
            findings.diverged += 1;
            let text = String::from_utf8_lossy(&verified.stdout);
            let text = format!("{text}{}", String::from_utf8_lossy(&verified.stderr));
            for line in text.lines().filter(|line| !line.starts_with("ok")) {
                findings.problem(format!("verify --all-sites: {}", line.trim()));
            }
        }
        Ok(findings)
    }

    /// Looks once more for what was acknowledged in all scenarios.
    async fn end(&mut self) -> Result<()> {
        let mut findings = Findings::default();
        let checks = self.traffic.iter().map(|one| one.check_all(&self.ground));
        for found in futures_util::future::try_join_all(checks).await? {
            findings.add(found);
        }
        self.report.sum(&findings);
        self.report.finished = true;
        self.report.lasted(self.begun.elapsed());
        Ok(())
    }

    fn write(&self, asked: &Fire) -> Result<()> {
        if let Some(json) = &asked.json {
            self.report.write_json(json)?;
        }
        if let Some(html) = &asked.html {
            self.report.write_html(html)?;
        }
        Ok(())
    }
}

/// Does what the scenario says, the last of a drill no more than it needs.
async fn steps(
    striker: &mut Striker<'_>,
    scenario: &Scenario,
    last: bool,
    round: &mut Round,
) -> Result<()> {
    for step in scenario.steps {
        match step {
            Step::Rest if last => break,
            Step::Rest => {}
            Step::Pass(seconds) => sleep(Duration::from_secs(*seconds)).await,
            Step::Do(act) => striker
                .strike(*act)
                .await
                .with_context(|| format!("{act:?}"))?,
            Step::Whole => round.whole(whole::wait(striker).await?),
        }
    }
    Ok(())
}

/// How far a data centre is in each domain; nothing if it does not say.
async fn applied(client: &mut Client, site: usize) -> BTreeMap<String, u64> {
    let ready = client
        .value(site, "/health/ready")
        .await
        .unwrap_or_default();
    let domains = ready["domains"].as_array().into_iter().flatten();
    let of = |domain: &serde_json::Value| {
        let name = domain["domain"].as_str()?.to_owned();
        Some((name, domain["applied"].as_u64()?))
    };
    domains.filter_map(of).collect()
}

/// Why this machine cannot do what a scenario needs; looked at once for each need.
fn lacks(needs: Needs, known: &mut BTreeMap<&'static str, bool>) -> Option<&'static str> {
    let (what, why): (fn() -> bool, _) = match needs {
        Needs::Nothing => return None,
        Needs::Strace => (
            can_trace,
            "it needs Debian's strace, and the right to trace",
        ),
        Needs::Faketime => (has_faketime, "it needs Debian's libfaketime"),
        Needs::Mount => (disk::can_mount, "it needs the right to mount a file system"),
    };
    let can = *known.entry(why).or_insert_with(what);
    (!can).then_some(why)
}

fn can_trace() -> bool {
    let traced = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .output();
    traced.is_ok_and(|output| output.status.success())
}

fn has_faketime() -> bool {
    let found = disk::files(Path::new("/usr/lib"), |path| {
        path.ends_with("faketime/libfaketimeMT.so.1")
    });
    !found.is_empty()
}

/// One scenario in one line, while the drill goes on.
fn line(round: &Round, at: Duration) -> String {
    let figures = &round.figures;
    format!(
        "{:>4} s  {:<18} {} acknowledged, {} lost, {} doubled, {} differ, {} errors; write gap {} ms (engine {}), read gap {} ms, whole after {} ms",
        at.as_secs(),
        round.name,
        figures.acknowledged,
        figures.lost,
        figures.doubled,
        figures.diverged + figures.unfaithful + figures.tokens_refused + figures.tokens_revived,
        figures.errors,
        figures.longest_write_gap_ms,
        figures.engine_election_ms,
        figures.longest_read_gap_ms,
        figures.redundant_again_ms,
    )
}
