//! What people see of three data centres: one house, whichever door they take, and whatever is broken in it.

use anyhow::{Context, Result, bail, ensure};
use bongsu_clients::{Answer, Cluster, Device, Server};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long something may take that goes on by itself.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(100);

async fn ask(device: &Device, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query: Vec<(&str, &str)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let answer = device.ask(method, path, &query, body).await;
    answer.done().with_context(|| path.to_owned())
}

/// Looks until `found` finds something.
async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < deadline, "{what}: not after {PATIENCE:?}");
        sleep(LOOK).await;
    }
}

/// Everybody at every door: what one data centre acknowledged, the next one knows when it is asked.
async fn what_one_acknowledged_the_next_knows(cluster: &Cluster) -> Result<()> {
    Device::register(&cluster.base_url(1), "wanderer").await?;
    for n in 0..30 {
        let (here, there) = (n % 3 + 1, (n + 1) % 3 + 1);
        let device = Device::login(&cluster.base_url(here), "wanderer").await?;
        let elsewhere = device.at(&cluster.base_url(there));
        let who = ask(
            &elsewhere,
            Method::GET,
            "/_matrix/client/v3/account/whoami",
            None,
        )
        .await?;
        ensure!(who["user_id"] == device.user(), "{who}");
        let room = device.create_room().await?;
        let event = elsewhere
            .send(&room, &format!("t{n}"), "is anybody here?")
            .await?;
        let path = format!("/_matrix/client/v3/rooms/{room}/event/{event}");
        let seen = ask(
            &device.at(&cluster.base_url((n + 2) % 3 + 1)),
            Method::GET,
            &path,
            None,
        )
        .await?;
        ensure!(seen["content"]["body"] == "is anybody here?", "{seen}");
    }
    Ok(())
}

/// A refusal stays one, however long the request is.
async fn what_is_refused_is_refused_at_any_length(cluster: &Cluster) -> Result<()> {
    for length in [1_000, 3 << 20] {
        for site in 1..=3 {
            let base = cluster.base_url(site);
            let answer = reqwest::Client::new()
                .post(format!("{base}/_matrix/media/v3/upload"))
                .bearer_auth("nobody's")
                .body(vec![7; length])
                .send()
                .await?;
            ensure!(
                answer.status() == 401,
                "dc{site}: {} for {length} bytes",
                answer.status()
            );
        }
    }
    Ok(())
}

/// Who types and is there in one data centre is seen in the others.
async fn who_is_here_is_seen_there(cluster: &Cluster) -> Result<()> {
    let mina = Device::register(&cluster.base_url(1), "mina").await?;
    let jun = Device::register(&cluster.base_url(2), "jun").await?;
    let room = mina.create_room().await?;
    jun.join(&room).await?;
    let typing = format!("/_matrix/client/v3/rooms/{room}/typing/{}", mina.user());
    let sync = "/_matrix/client/v3/sync?timeout=0";
    ask(
        &mina,
        Method::PUT,
        &typing,
        Some(json!({ "typing": true, "timeout": 60_000 })),
    )
    .await?;
    ask(&mina, Method::GET, sync, None).await?;
    until("Mina types and is there, says dc2", async || {
        let news = ask(&jun, Method::GET, sync, None).await?;
        let passing = &news["rooms"]["join"][&room]["ephemeral"]["events"];
        let mut passing = passing.as_array().into_iter().flatten();
        let types = passing.any(|event| event["content"]["user_ids"] == json!([mina.user()]));
        let mut people = news["presence"]["events"].as_array().into_iter().flatten();
        let there = people.any(|event| {
            event["sender"] == mina.user() && event["content"]["presence"] == "online"
        });
        Ok((types && there).then_some(()))
    })
    .await
}

fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_under(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// A blob that is damaged in one data centre is read whole there, and made whole.
async fn a_damaged_blob_is_made_whole(cluster: &Cluster) -> Result<()> {
    let mina = Device::login(&cluster.base_url(1), "mina").await?;
    let picture: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let uri = mina.upload(picture.clone()).await?;
    let media = uri.strip_prefix("mxc://").context("an address of a file")?;
    let path = format!("/_matrix/client/v1/media/download/{media}");
    // One of its two copies is damaged, wherever they are.
    let copies = |site: usize| -> Result<Vec<PathBuf>> {
        let blobs = cluster.site_dir(site).join("data/media/blobs");
        let mut files = files_under(&blobs)?;
        files.retain(|file| {
            file.metadata()
                .is_ok_and(|meta| meta.len() == picture.len() as u64)
        });
        Ok(files)
    };
    let site = (1..=3).find(|site| copies(*site).is_ok_and(|files| !files.is_empty()));
    let site = site.context("no data centre has the file")?;
    let file = copies(site)?.remove(0);
    let mut damaged = picture.clone();
    damaged[200_000] ^= 0x10;
    std::fs::write(&file, &damaged)?;
    for door in 1..=3 {
        let read = mina.at(&cluster.base_url(door)).download(&path).await;
        // What began with damaged bytes ends early, and is whole when it is asked for again.
        let read = match read {
            Ok(read) if read.len() == picture.len() => read,
            _ => mina.at(&cluster.base_url(door)).download(&path).await?,
        };
        ensure!(
            read == picture,
            "dc{door} gives other bytes than were uploaded"
        );
    }
    until("the damaged copy is made whole", async || {
        Ok((std::fs::read(&file)? == picture).then_some(()))
    })
    .await
}

/// A view that is damaged is found out by the others, and made again, while people go on.
async fn a_damaged_view_is_made_again(cluster: &Cluster) -> Result<()> {
    let mina = Device::login(&cluster.base_url(1), "mina").await?;
    let room = mina.create_room().await?;
    mina.send(&room, "v1", "as it was written").await?;
    let path = format!("/_matrix/client/v3/rooms/{room}/joined_members");
    let there = mina.at(&cluster.base_url(3));
    let called = |members: &Value| members["joined"][mina.user()]["display_name"].clone();
    let name = called(&ask(&mina, Method::GET, &path, None).await?);
    until("dc3 has it", async || {
        Ok((called(&ask(&there, Method::GET, &path, None).await?) == name).then_some(()))
    })
    .await?;
    let db = Connection::open(cluster.site_dir(3).join("data/view/talk.sqlite"))?;
    db.busy_timeout(Duration::from_secs(5))?;
    let sql = "UPDATE member SET displayname = 'as a flipped bit has it' WHERE user = ?1";
    ensure!(db.execute(sql, [mina.user()])? > 0, "nothing was damaged");
    drop(db);
    let shown = called(&ask(&there, Method::GET, &path, None).await?);
    ensure!(
        shown == "as a flipped bit has it",
        "the view is damaged, and {shown} shown"
    );
    let mut count = 0;
    until("dc3 shows what was written again", async || {
        count += 1;
        mina.send(&room, &format!("v2-{count}"), "people go on")
            .await?;
        match there.ask(Method::GET, &path, &[], None).await {
            Answer::Done(members) => Ok((called(&members) == name).then_some(())),
            Answer::Refused(status, body) if status.is_client_error() => {
                bail!("dc3 refuses: {status} {body}")
            }
            Answer::Refused(..) | Answer::Nothing => Ok(None),
        }
    })
    .await?;
    let written = std::fs::read_to_string(cluster.site_dir(3).join("bongsu.log"))?;
    ensure!(
        written.contains("differs from what the other data centres have"),
        "dc3 does not say why it made its view again"
    );
    until("the data centres agree", async || {
        Ok((cluster.command(1, &["verify", "--all-sites"])?.code == 0).then_some(()))
    })
    .await
}

/// Connects to the engine of dc1, as dc1 with the certificate in a folder, or without one.
async fn connect(
    cluster: &Cluster,
    certificate: Option<&Path>,
) -> Result<async_nats::Client, async_nats::ConnectError> {
    // Whatever was chosen before serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut options = async_nats::ConnectOptions::new()
        .connection_timeout(Duration::from_secs(5))
        .add_root_certificates(cluster.dir().join("trust/authority.pem"));
    if let Some(folder) = certificate {
        options = options.add_client_certificate(folder.join("dc1.pem"), folder.join("dc1.key"));
    }
    options.connect(cluster.engine(1)).await
}

/// Whoever has no certificate of this house is not heard by its engine.
async fn strangers_are_not_heard(cluster: &Cluster) -> Result<()> {
    let trust = cluster.dir().join("trust");
    let foreign = TempDir::new()?;
    let folder = foreign.path().join("trust");
    let run = |arguments: &[&str]| -> Result<()> {
        let finished = cluster.run(arguments)?;
        ensure!(finished.code == 0, "{}", finished.text);
        Ok(())
    };
    let name = folder.display().to_string();
    run(&["certificates", "authority", &name])?;
    run(&["certificates", "issue", &name, "dc1", "127.0.0.1"])?;
    let own = connect(cluster, Some(&trust)).await;
    ensure!(own.is_ok(), "the house's own certificate: {own:?}");
    let none = connect(cluster, None).await;
    ensure!(none.is_err(), "heard without a certificate");
    ensure!(
        connect(cluster, Some(&folder)).await.is_err(),
        "heard with another house's certificate"
    );
    Ok(())
}

/// What data centre `site` measures under this name and labels.
async fn measured(cluster: &Cluster, site: usize, name: &str) -> Result<f64> {
    let answer = reqwest::get(format!("{}/metrics", cluster.base_url(site))).await?;
    let text = answer.text().await?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value
        .with_context(|| format!("dc{site} has no {name}"))?
        .parse()?)
}

/// Each data centre says how the engine is, from where it stands.
async fn the_engine_is_seen(cluster: &mut Cluster) -> Result<()> {
    let is = async |cluster: &Cluster, site: usize, name: &str, value: f64| {
        let what = format!("dc{site} has {name} {value}");
        until(&what, async || {
            let now = measured(cluster, site, name).await?;
            Ok((now == value).then_some(()))
        })
        .await
    };
    for site in 1..=3 {
        is(
            cluster,
            site,
            "bongsu_log_replicas_current{lane=\"talk\"}",
            3.0,
        )
        .await?;
        is(cluster, site, "bongsu_log_replicas{lane=\"talk\"}", 3.0).await?;
        is(cluster, site, "bongsu_log_leader{lane=\"talk\"}", 1.0).await?;
        for role in ["peer", "peer-authority", "log", "log-authority"] {
            let name = format!("bongsu_certificate_expiry_timestamp_seconds{{role=\"{role}\"}}");
            let end = measured(cluster, site, &name).await?;
            // 2026-01-01T00:00:00Z: no release is older.
            ensure!(end > 1_767_225_600.0, "dc{site}: {role} ends at {end}");
        }
        let age = measured(cluster, site, "bongsu_lane_view_age_seconds{lane=\"talk\"}").await?;
        ensure!((0.0..90.0).contains(&age), "dc{site}: {age}");
    }
    until("one data centre leads the log", async || {
        let mut leaders = 0.0;
        for site in 1..=3 {
            leaders += measured(cluster, site, "bongsu_log_leader_here{lane=\"talk\"}").await?;
        }
        Ok((leaders == 1.0).then_some(()))
    })
    .await?;
    cluster.order("cut dc3", "dc3 cut off").await?;
    for name in ["bongsu_log_leader", "bongsu_log_replicas_current"] {
        is(cluster, 3, &format!("{name}{{lane=\"talk\"}}"), 0.0).await?;
    }
    is(
        cluster,
        1,
        "bongsu_log_replicas_current{lane=\"talk\"}",
        2.0,
    )
    .await?;
    cluster.order("heal dc3", "dc3 ready").await?;
    is(cluster, 3, "bongsu_log_leader{lane=\"talk\"}", 1.0).await
}

/// Entries that somebody purged from the engine stop nobody and are missed.
async fn a_purge_is_noticed(cluster: &Cluster) -> Result<()> {
    let engine = connect(cluster, Some(&cluster.dir().join("trust"))).await?;
    let purge = json!({ "seq": 5 }).to_string();
    let what = "$JS.API.STREAM.PURGE.bongsu-talk-0-0";
    let answer = engine.request(what, purge.into()).await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["success"] == true, "{answer}");
    for site in 1..=3 {
        until("the purge is noticed", async || {
            let name = "bongsu_log_damaged{lane=\"talk\"}";
            Ok((measured(cluster, site, name).await? == 1.0).then_some(()))
        })
        .await?;
        let said = cluster.command(site, &["doctor"])?.text;
        let purged = "the log of talk: somebody purged the entries 1 to 4 from the engine";
        ensure!(said.contains(purged), "{said}");
        ensure!(said.contains("copies current, led from"), "{said}");
        ensure!(said.contains(".pem expires in 3649 days"), "{said}");
        let written = std::fs::read_to_string(cluster.site_dir(site).join("bongsu.log"))?;
        ensure!(
            written.contains("was shortened by somebody else"),
            "dc{site} says nothing"
        );
    }
    let mina = Device::login(&cluster.base_url(1), "mina").await?;
    mina.create_room().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_data_centres_are_one_house() -> Result<()> {
    let mut cluster = Cluster::start(22).await?;
    what_one_acknowledged_the_next_knows(&cluster).await?;
    what_is_refused_is_refused_at_any_length(&cluster).await?;
    who_is_here_is_seen_there(&cluster).await?;
    a_damaged_blob_is_made_whole(&cluster).await?;
    a_damaged_view_is_made_again(&cluster).await?;
    strangers_are_not_heard(&cluster).await?;
    the_engine_is_seen(&mut cluster).await?;
    a_purge_is_noticed(&cluster).await?;
    cluster.stop().await
}

/// What somebody sees of the house, whichever way it runs.
async fn seen(device: &Device, room: &str, media: &str) -> Result<(Vec<String>, Vec<u8>, Value)> {
    let history = device.history(room).await?;
    let texts = history.into_iter().map(|message| message.body);
    let texts = texts.filter(|text| text.starts_with("number")).collect();
    let file = device.download(media).await?;
    let path = format!("/_matrix/client/v3/rooms/{room}/state/m.room.name/");
    Ok((texts, file, ask(device, Method::GET, &path, None).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_moves_from_one_machine_to_three_data_centres() -> Result<()> {
    let mut server = Server::start().await?;
    let device = Device::register(&server.base_url(), "mina").await?;
    let room = device.create_room().await?;
    let name = format!("/_matrix/client/v3/rooms/{room}/state/m.room.name/");
    ask(
        &device,
        Method::PUT,
        &name,
        Some(json!({ "name": "The watch" })),
    )
    .await?;
    for n in 0..20 {
        device
            .send(&room, &format!("before-{n}"), &format!("number {n}"))
            .await?;
    }
    let uri = device.upload(b"a picture of the hill".to_vec()).await?;
    let media = uri.strip_prefix("mxc://").context("an address of a file")?;
    let media = format!("/_matrix/client/v1/media/download/{media}");
    let sync = "/_matrix/client/v3/sync";
    let synced = ask(&device, Method::GET, sync, None).await?;
    let since = synced["next_batch"]
        .as_str()
        .context("a position")?
        .to_owned();
    let before = seen(&device, &room, &media).await?;

    let folder = TempDir::new()?;
    let backup = backed_up(&server, &folder)?;
    server.stop().await?;
    let mut cluster = Cluster::start_from(23, &backup).await?;
    for site in 1..=3 {
        // The same token, the same rooms, the same files; and the position goes on.
        let there = device.at(&cluster.base_url(site));
        let shown = seen(&there, &room, &media).await?;
        ensure!(shown == before, "dc{site} shows {shown:?}, not {before:?}");
        let text = format!("sent in dc{site}");
        there.send(&room, &format!("after-{site}"), &text).await?;
        let news = ask(
            &there,
            Method::GET,
            &format!("{sync}?timeout=0&since={since}"),
            None,
        )
        .await?;
        let events = &news["rooms"]["join"][&room]["timeline"]["events"];
        let bodies: Vec<&str> = events
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|event| event["content"]["body"].as_str())
            .collect();
        let expected: Vec<String> = (1..=site).map(|site| format!("sent in dc{site}")).collect();
        ensure!(bodies == expected, "dc{site} tells {bodies:?}");
        ensure!(
            there.send(&room, "before-7", "number 7").await? == device_event(&there, &room).await?,
            "a repeat of what was sent before the move has another answer"
        );
    }
    let verified = cluster.command(2, &["verify", "--all-sites"])?;
    ensure!(verified.code == 0, "{}", verified.text);
    any_of_them_may_burn_then(&mut cluster).await?;
    let there = device.at(&cluster.base_url(1));
    let shown = seen(&there, &room, &media).await?;
    ensure!(shown == before, "dc1 shows {shown:?}, not {before:?}");
    cluster.stop().await
}

/// The others do not depend on the one that had the backup: it burns with its disks, and begins again from theirs.
async fn any_of_them_may_burn_then(cluster: &mut Cluster) -> Result<()> {
    for site in 2..=3 {
        for lane in ["identity", "talk", "pay"] {
            let folder = cluster.site_dir(site).join("data/snapshots").join(lane);
            until("a snapshot", async || {
                let kept = folder.is_dir() && !files_under(&folder)?.is_empty();
                Ok(kept.then_some(()))
            })
            .await?;
        }
    }
    cluster.order("wipe dc1", "dc1 burnt").await?;
    cluster.order("heal dc1", "dc1 ready").await
}

/// A backup of what the server has, in `folder`.
fn backed_up(server: &Server, folder: &TempDir) -> Result<PathBuf> {
    let backup = folder.path().join("backup");
    let backed = Command::new(bongsu_clients::binary()?)
        .arg("backup")
        .arg(&backup)
        .arg("--data")
        .arg(server.data_dir())
        .output()?;
    let said = String::from_utf8_lossy(&backed.stderr);
    ensure!(backed.status.success(), "{said}");
    Ok(backup)
}

/// The event that the seventh message became.
async fn device_event(device: &Device, room: &str) -> Result<String> {
    let history = device.history(room).await?;
    let event = history
        .into_iter()
        .find(|message| message.body == "number 7");
    Ok(event.context("the message")?.id)
}
