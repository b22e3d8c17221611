//! People who make rooms, come and go, write, read and take back what they wrote.

use crate::Dice;
use crate::workload::{Asked, Settled, Told, Workload};
use bongsu_base::{DeviceId, EventId, Position, RoomId, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_talk::command::{
    Act, Action, Administer, Command, CreateRoom, Membership, Profile, Receipt, Redact, Send,
    SetAccountData, SetAlias, SetState,
};
use bongsu_talk::state::events::event_id;
use bongsu_talk::{Accepted, Talk};
use std::collections::BTreeMap;

/// What the clients know of one another.
pub struct Talkers {
    people: usize,
    rooms: Vec<RoomId>,
    made: u32,
    sent: u32,
    /// Events that somebody was told of.
    events: Vec<(RoomId, EventId)>,
}

fn user(n: usize) -> UserId {
    let id = format!("@talker{n}:bongsu.test");
    id.parse().expect("a well-formed id")
}

fn device() -> DeviceId {
    "DEVICE".parse().expect("a well-formed id")
}

/// Whether a room keeps its messages for a short while alone.
fn is_forgetful(room: &RoomId) -> bool {
    room.as_str().ends_with(['3', '6', '9'])
}

impl Talkers {
    fn create(&mut self, me: usize, dice: &mut Dice) -> Command {
        self.made += 1;
        let room: RoomId = format!("!room{}", self.made)
            .parse()
            .expect("a well-formed id");
        self.rooms.push(room.clone());
        let public = dice.u32(0..4) > 0;
        let rule = if public { "public" } else { "invite" };
        let mut state = vec![(
            "m.room.join_rules".to_owned(),
            String::new(),
            format!(r#"{{"join_rule":"{rule}"}}"#),
        )];
        if is_forgetful(&room) {
            let kind = "m.room.retention".to_owned();
            let policy = format!(r#"{{"max_lifetime":{}}}"#, dice.u32(1..2_000));
            state.push((kind, String::new(), policy));
        }
        let others = (0..self.people).filter(|n| *n != me && dice.bool());
        let invite = others.map(|n| (user(n), Profile::default())).collect();
        Command::CreateRoom(CreateRoom {
            room,
            version: if dice.bool() { "10" } else { "11" }.to_owned(),
            create: "{}".to_owned(),
            profile: Profile::default(),
            power_levels: format!(r#"{{"users":{{"{}":100}}}}"#, user(me)),
            state,
            // Few names, so that some are taken.
            alias: dice
                .bool()
                .then(|| format!("#place{}:bongsu.test", dice.u32(0..4))),
            invite,
            is_direct: dice.bool(),
            listed: public,
        })
    }

    fn membership(&self, me: usize, room: RoomId, dice: &mut Dice) -> Command {
        let other = dice.usize(0..self.people);
        let (action, who) = match dice.u32(0..12) {
            0..=6 => (Action::Join, me),
            7 => (Action::Leave, me),
            8 | 9 => (Action::Invite, other),
            10 => (Action::Kick, other),
            _ => (
                if dice.bool() {
                    Action::Ban
                } else {
                    Action::Unban
                },
                other,
            ),
        };
        Command::Membership(Membership {
            room,
            user: user(who),
            action,
            reason: None,
            profile: Profile {
                displayname: Some(format!("Talker {}", dice.u32(0..3))),
                avatar_url: None,
            },
            is_direct: false,
        })
    }

    fn about_an_event(&mut self, dice: &mut Dice) -> Option<Command> {
        let (room, event) = dice.choice(&self.events)?.clone();
        if dice.bool() {
            self.sent += 1;
            return Some(Command::Redact(Redact {
                room,
                event,
                content: "{}".to_owned(),
                txn: Some(format!("txn{}", self.sent)),
            }));
        }
        let read = Some(event.clone());
        Some(Command::Receipt(Receipt {
            room,
            read,
            read_private: None,
            fully_read: dice.bool().then_some(event),
            thread: String::new(),
        }))
    }

    fn command(&mut self, me: usize, dice: &mut Dice) -> Command {
        let Some(room) = dice.choice(&self.rooms).cloned() else {
            return self.create(me, dice);
        };
        match dice.u32(0..23) {
            0 => self.create(me, dice),
            20 | 21 => Command::SweepRoom {
                room,
                most: dice.u32(1..20),
            },
            22 => Command::Administer(Administer {
                by: dice.bool().then(|| user(me)),
                reason: None,
                act: if dice.bool() {
                    Act::BlockRoom(room)
                } else {
                    Act::UnblockRoom(room)
                },
            }),
            1..=5 => self.membership(me, room, dice),
            6 | 7 => Command::SetState(SetState {
                room,
                kind: "m.room.topic".to_owned(),
                state_key: String::new(),
                content: format!(r#"{{"topic":"{}"}}"#, dice.u32(0..10)),
            }),
            8 => Command::SetAlias(SetAlias {
                alias: format!("#place{}:bongsu.test", dice.u32(0..4)),
                room,
            }),
            9 => Command::SetAccountData(SetAccountData {
                room: dice.bool().then_some(room),
                kind: "m.tag".to_owned(),
                content: format!(r#"{{"n":{}}}"#, dice.u32(0..10)),
            }),
            10 => Command::ForgetHistory(room),
            11..=13 => match self.about_an_event(dice) {
                Some(command) => command,
                None => self.membership(me, room, dice),
            },
            _ => {
                self.sent += 1;
                Command::Send(Send {
                    room,
                    kind: "m.room.message".to_owned(),
                    content: format!(r#"{{"body":"message {}"}}"#, self.sent),
                    txn: Some(format!("txn{}", self.sent)),
                })
            }
        }
    }
}

impl Workload for Talkers {
    type Domain = Talk;

    fn new(_dice: &mut Dice, clients: usize) -> Self {
        Self {
            people: clients,
            rooms: Vec::new(),
            made: 0,
            sent: 0,
            events: Vec::new(),
        }
    }

    fn next(&mut self, client: usize, dice: &mut Dice) -> Asked<Command> {
        let command = self.command(client, dice);
        let priority = match command {
            Command::Receipt(_) => Priority::Background,
            _ => Priority::Normal,
        };
        let actor = match command {
            Command::SweepRoom { .. } => Actor::Platform,
            Command::Administer(_) => Actor::Operator,
            _ => Actor::User {
                user: user(client),
                device: device(),
            },
        };
        Asked {
            actor,
            priority,
            command,
        }
    }

    fn heard(&mut self, _client: usize, told: &Told<Talk>) {
        if let (Command::Send(Send { room, .. }), Ok(Accepted::Event(event))) =
            (&told.command, &told.outcome)
        {
            self.events.push((room.clone(), event.clone()));
        }
    }

    fn check(&self, settled: &Settled<'_, Talk>) -> Result<(), String> {
        let sql = |error: rusqlite::Error| error.to_string();
        let mut found = BTreeMap::<String, Vec<Found>>::new();
        let query = "SELECT txn, position, tag, sender, redacted_by IS NOT NULL FROM event
                     WHERE txn IS NOT NULL ORDER BY position";
        let mut statement = settled.view.db().prepare(query).map_err(sql)?;
        let mut rows = statement.query(()).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let position = Position::from_i64(row.get(1).map_err(sql)?).unwrap_or_default();
            found
                .entry(row.get(0).map_err(sql)?)
                .or_default()
                .push(Found {
                    position,
                    id: event_id(position, row.get(2).map_err(sql)?),
                    sender: row.get(3).map_err(sql)?,
                    redacted: row.get(4).map_err(sql)?,
                });
        }
        let mut last = BTreeMap::<String, Position>::new();
        let mut redacted = Vec::new();
        for told in settled.told {
            let txn = match &told.command {
                Command::Send(Send { txn, .. }) => txn,
                Command::Redact(Redact { txn, event, .. }) => {
                    redacted.extend(told.outcome.is_ok().then_some(event));
                    txn
                }
                _ => continue,
            };
            let there = txn.as_ref().and_then(|txn| found.get(txn));
            one_event(told, there.map_or(&[], Vec::as_slice), &mut last)?;
        }
        for found in found.into_values().flatten() {
            let expected = redacted.contains(&&found.id);
            if found.redacted != expected {
                return Err(format!("{} is redacted: {}", found.id, found.redacted));
            }
        }
        Ok(())
    }
}

/// An event that stands in the view.
struct Found {
    position: Position,
    id: EventId,
    sender: String,
    redacted: bool,
}

/// Sees that what was told is there once, unless its room forgets, and after what its sender was told before.
fn one_event(
    told: &Told<Talk>,
    there: &[Found],
    last: &mut BTreeMap<String, Position>,
) -> Result<(), String> {
    let forgetful = match &told.command {
        Command::Send(Send { room, .. }) | Command::Redact(Redact { room, .. }) => {
            is_forgetful(room)
        }
        _ => false,
    };
    match (&told.outcome, there) {
        (Err(_), []) => Ok(()),
        // It may have been purged since.
        (Ok(_), []) if forgetful => Ok(()),
        (Ok(Accepted::Event(id)), [found]) if found.id == *id => {
            let before = last.insert(found.sender.clone(), found.position);
            if before.is_some_and(|before| before >= found.position) {
                return Err(format!(
                    "{id} stands before what {} sent before",
                    found.sender
                ));
            }
            Ok(())
        }
        (outcome, there) => Err(format!(
            "{:?} was told {outcome:?} and stands there {} times",
            told.command,
            there.len()
        )),
    }
}
