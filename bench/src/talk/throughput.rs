//! Messages a second: one sender, ten, and sixty-four, in one room and across a hundred.

use super::load::{Sender, Tally, accounts, join, rooms, round};
use super::{Pair, Scale, Two};
use crate::report::{Beside, Report};
use crate::server::Server;
use anyhow::Result;

const SENDERS: [usize; 3] = [1, 10, 64];
const ROOMS: usize = 100;
/// How many times the peer's messages a second are to be reached, with how many senders.
const AIM: (usize, f64) = (10, 60.0);

pub async fn run(pair: &Pair, scale: &Scale, report: &mut Report) -> Result<()> {
    let mut furnished = pair.both(furnish).await?;
    let disk = pair.both(async |server| server.disk_bytes()).await?;
    let mut sent = Two {
        ours: 0,
        peer: pair.peer.as_ref().map(|_| 0),
    };
    for count in [1, ROOMS] {
        for senders in SENDERS {
            let shape = (senders, count);
            let tally = shape_of(pair, scale, &mut furnished, shape).await?;
            sent.ours += tally.ours.messages();
            sent.peer = sent
                .peer
                .zip(tally.peer.as_ref())
                .map(|(sent, tally)| sent + tally.messages());
            let rooms = if count == 1 { "one room" } else { "100 rooms" };
            let name = format!("send, {senders} at once, {rooms}");
            tally.row(report, (&name, "messages/s"), Tally::rate);
            if let Some(peer) = tally.peer.as_ref().filter(|_| senders == AIM.0) {
                let times = tally.ours.rate() / peer.rate();
                let name = format!("{name}: times the peer's");
                report.row(&name, "times", times, Beside::Aim(AIM.1));
            }
            tally.row(report, (&format!("{name}, p50"), "ms"), Tally::p50);
            tally.row(report, (&format!("{name}, p99"), "ms"), Tally::p99);
            let cpu = format!("{name}, the server's processor");
            tally.row(report, (&cpu, "µs/message"), Tally::cpu_per_message);
        }
    }
    let memory = pair.both(async |server| server.memory()).await?;
    memory.row(report, ("memory after sending", "MiB"), |memory| *memory);
    let after = pair.both(async |server| server.disk_bytes()).await?;
    let per_message = Two {
        ours: (after.ours - disk.ours) / sent.ours as f64,
        peer: after
            .peer
            .zip(disk.peer)
            .zip(sent.peer)
            .map(|((after, before), sent)| (after - before) / sent as f64),
    };
    per_message.row(report, ("disk a message", "bytes"), |bytes| *bytes);
    Ok(())
}

/// Senders and rooms on one server.
pub struct Furnished {
    senders: Vec<Sender>,
    rooms: Vec<String>,
}

/// Whether the one numbered `sender` of `senders` sends in the room numbered `room`: to all rooms together.
fn sends_in(sender: usize, senders: usize, room: usize) -> bool {
    sender < senders && room % senders == sender % senders
}

async fn furnish(server: &Server) -> Result<Furnished> {
    let [.., most] = SENDERS;
    let mut clients = accounts(server, "sender", most).await?;
    let rooms = rooms(&mut clients, ROOMS).await?;
    join(&mut clients, &rooms, |n, room| {
        n > 0 && (room == 0 || SENDERS.iter().any(|senders| sends_in(n, *senders, room)))
    })
    .await?;
    let senders = clients
        .into_iter()
        .map(|client| Sender::new(client, Vec::new()))
        .collect();
    Ok(Furnished { senders, rooms })
}

/// One shape, on both in turns.
async fn shape_of(
    pair: &Pair,
    scale: &Scale,
    furnished: &mut Two<Furnished>,
    (senders, count): (usize, usize),
) -> Result<Two<Tally>> {
    let take = |furnished: &mut Furnished| {
        for (n, sender) in furnished.senders.iter_mut().enumerate() {
            let rooms = furnished.rooms.iter().take(count).enumerate();
            sender.rooms = rooms
                .filter(|(room, _)| count == 1 || sends_in(n, senders, *room))
                .map(|(_, room)| room.clone())
                .collect();
        }
    };
    take(&mut furnished.ours);
    furnished.peer.iter_mut().for_each(take);
    let mut tally = Two {
        ours: Tally::default(),
        peer: pair.peer.as_ref().map(|_| Tally::default()),
    };
    for _ in 0..scale.rounds {
        let ours = round(
            &pair.ours,
            &mut furnished.ours.senders,
            senders,
            scale.round,
        );
        tally.ours.add(ours.await?);
        if let (Some(server), Some(furnished), Some(tally)) =
            (&pair.peer, &mut furnished.peer, &mut tally.peer)
        {
            let peer = round(server, &mut furnished.senders, senders, scale.round);
            tally.add(peer.await?);
        }
    }
    Ok(tally)
}
