//! Which ids have an answer, and where it stands.
//!
//! Ids come in no order, and an index of SQLite's own over them writes another page for nearly every transfer, and takes
//! a step of SQLite for each on every way that it goes. So they are packed, some hundred to a page, by a hash of 48 bits:
//! what has the hash of an id is read where it stands, and is the id's answer if it has the id. New ids stand in a small
//! tier. What is too much there goes on into a larger one in the order of the hashes, a stretch at a time, and from
//! there into the one that keeps them: each stretch begins where the last one ended, and after the highest hash with the
//! lowest. Neighbours share pages.
//!
//! All of it is derived: a view that comes from an earlier release begins with none ([`index`]).

mod page;

use crate::TransferId;
use crate::bytes::damaged;
use crate::row::{Kind, Transfer};
use page::{Entry, Pages};
use rusqlite::{Connection, OptionalExtension};

/// How a tier hands on to the next.
struct Tier {
    /// How many ids stay.
    stay: i64,
    /// How many more there have to be before a stretch of them goes.
    stretch: i64,
}

/// So that a full one fills a page of SQLite's.
const PAGE: usize = 330;

const TIERS: [Tier; 3] = [
    Tier {
        stay: 1 << 16,
        stretch: 1 << 12,
    },
    Tier {
        stay: 1 << 20,
        stretch: 1 << 12,
    },
    Tier {
        stay: i64::MAX,
        stretch: i64::MAX,
    },
];

/// The hash under which `id` stands. Nobody finds many ids of one hash in reasonable time.
fn hash(id: TransferId) -> u64 {
    const KEY: &[u8; 32] = b"bongsu 2026-11 place of an id...";
    let hash = blake3::keyed_hash(KEY, &id.0);
    let [a, b, c, d, e, f, ..] = *hash.as_bytes();
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// What is known of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    hash: u64,
    /// Where its answer stands, if it has one: the number of a transfer, or below 0 that of a refusal.
    pub place: Option<i64>,
}

/// Says of each id what is known of it.
pub(crate) fn find(
    db: &Connection,
    ids: impl Iterator<Item = TransferId>,
) -> rusqlite::Result<Vec<(TransferId, Known)>> {
    let mut asked: Vec<(u64, TransferId)> = ids.map(|id| (hash(id), id)).collect();
    asked.sort_unstable();
    asked.dedup();
    let mut perhaps = Vec::new();
    look(db, &asked, |at, place| perhaps.push((at, place)))?;
    let unknown = |(hash, id)| (id, Known { hash, place: None });
    let mut found: Vec<_> = asked.into_iter().map(unknown).collect();
    for (at, place) in perhaps {
        let (id, known) = &mut found[at];
        if id_at(db, place)? == *id {
            known.place = Some(place);
        }
    }
    Ok(found)
}

/// Lines of the history whose ids have to be known, looked for many at once.
#[derive(Debug, Default)]
pub(crate) struct Expected(Vec<(u64, i64)>);

impl Expected {
    /// The answer of the id of `row` has to stand there.
    pub fn push(&mut self, row: &Transfer) {
        if row.kind != Kind::Expire {
            self.0.push((hash(row.id), row.n));
        }
    }

    /// Whether it is time to look.
    pub fn is_long(&self) -> bool {
        self.0.len() >= 8_192
    }

    /// The first line whose id is not known to stand there. Expects nothing more.
    pub fn missing(&mut self, db: &Connection) -> rusqlite::Result<Option<i64>> {
        let mut asked = std::mem::take(&mut self.0);
        asked.sort_unstable();
        let mut found = vec![false; asked.len()];
        look(db, &asked, |at, place| found[at] |= place == asked[at].1)?;
        let missing = asked.iter().zip(found).filter(|(_, found)| !found);
        Ok(missing.map(|((_, n), _)| *n).min())
    }
}

/// Tells of every place under the hash of an id, and the how manieth of those asked that is. They are in the order of
/// the hashes.
fn look<T>(
    db: &Connection,
    asked: &[(u64, T)],
    mut perhaps: impl FnMut(usize, i64),
) -> rusqlite::Result<()> {
    let mut pages = Pages::of(db)?;
    for tier in 0..TIERS.len() as u8 {
        let mut done = 0;
        while let Some((hash, _)) = asked.get(done) {
            let next = pages.with_page(tier, *hash, |page| {
                while let Some((hash, _)) = asked.get(done)
                    && *hash < page.high
                {
                    page.places(*hash).for_each(|place| perhaps(done, place));
                    done += 1;
                }
            })?;
            if next.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The id whose answer stands at `place`.
fn id_at(db: &Connection, place: i64) -> rusqlite::Result<TransferId> {
    let id = if place > 0 {
        Transfer::by_number(db, place)?.map(|row| row.id)
    } else {
        db.prepare_cached("SELECT id FROM ledger_refused WHERE n = ?1")?
            .query_row([-place], |row| Ok(TransferId(row.get(0)?)))
            .optional()?
    };
    id.ok_or_else(|| damaged("place of an id"))
}

/// How far the index goes, and what waits in the tiers but the last.
struct State {
    last: i64,
    refused: i64,
    /// How many ids there are, and where the next stretch begins.
    waits: [(i64, i64); TIERS.len() - 1],
}

impl State {
    fn read(db: &Connection) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "SELECT last, refused, ids_0, swept_0, ids_1, swept_1 FROM derived_ledger_state",
        )?
        .query_row((), |row| {
            Ok(Self {
                last: row.get(0)?,
                refused: row.get(1)?,
                waits: [(row.get(2)?, row.get(3)?), (row.get(4)?, row.get(5)?)],
            })
        })
    }

    fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let [(ids_0, swept_0), (ids_1, swept_1)] = self.waits;
        db.prepare_cached(
            "UPDATE derived_ledger_state SET last = ?1, refused = ?2, ids_0 = ?3, swept_0 = ?4, ids_1 = ?5, swept_1 = ?6",
        )?
        .execute((self.last, self.refused, ids_0, swept_0, ids_1, swept_1))
        .map(drop)
    }
}

/// Takes in ids that have a place now and had none. With them the index goes up to the transfer
/// `last` and the refusal `refused`.
pub(crate) fn add(
    db: &Connection,
    ids: Vec<Known>,
    last: i64,
    refused: i64,
) -> rusqlite::Result<()> {
    add_within(db, ids, (last, refused), PAGE, &TIERS)
}

/// `most` is how many entries a page has at most.
fn add_within(
    db: &Connection,
    ids: Vec<Known>,
    (last, refused): (i64, i64),
    most: usize,
    tiers: &[Tier; TIERS.len()],
) -> rusqlite::Result<()> {
    let entry = |known: Known| {
        let Known { hash, place } = known;
        place.map(|place| Entry { hash, place })
    };
    let mut come: Vec<Entry> = ids.into_iter().filter_map(entry).collect();
    come.sort_unstable();
    let mut state = State::read(db)?;
    (state.last, state.refused) = (last, refused);
    let mut pages = Pages::of(db)?;
    for (number, tier) in (0..).zip(tiers) {
        pages.merge(number, most, &come)?;
        let Some((ids, swept)) = state.waits.get_mut(usize::from(number)) else {
            break;
        };
        *ids += come.len() as i64;
        let over = *ids - tier.stay;
        if over < tier.stretch {
            break;
        }
        let (taken, next) = pages.take(number, *swept as u64, over as usize)?;
        *ids -= taken.len() as i64;
        *swept = next as i64;
        come = taken;
    }
    state.write(db)
}

/// Brings the index up to the end of the history. It is there already unless the view comes from an earlier release.
pub(crate) fn index(db: &Connection) -> rusqlite::Result<()> {
    const AT_ONCE: i64 = 1 << 16;
    loop {
        let State { last, refused, .. } = State::read(db)?;
        let transfers = db
            .prepare_cached("SELECT n, body FROM ledger_transfer WHERE n > ?1 ORDER BY n LIMIT ?2")?
            .query_map((last, AT_ONCE), Transfer::from_row)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let refusals = db
            .prepare_cached("SELECT n, id FROM ledger_refused WHERE n > ?1 ORDER BY n LIMIT ?2")?
            .query_map((refused, AT_ONCE), |row| {
                Ok((row.get(0)?, TransferId(row.get(1)?)))
            })?
            .collect::<rusqlite::Result<Vec<(i64, TransferId)>>>()?;
        if transfers.is_empty() && refusals.is_empty() {
            return Ok(());
        }
        let last = transfers.last().map_or(last, |row| row.n);
        let refused = refusals.last().map_or(refused, |(n, _)| *n);
        let asked = transfers.iter().filter(|row| row.kind != Kind::Expire);
        let done = asked.map(|row| (row.id, row.n));
        let refusals = refusals.into_iter().map(|(n, id)| (id, -n));
        let known = done.chain(refusals).map(|(id, place)| Known {
            hash: hash(id),
            place: Some(place),
        });
        add(db, known.collect(), last, refused)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{books, id};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SMALL: [Tier; 3] = [
        Tier {
            stay: 8,
            stretch: 2,
        },
        Tier {
            stay: 32,
            stretch: 4,
        },
        Tier {
            stay: i64::MAX,
            stretch: i64::MAX,
        },
    ];

    fn tables() -> Connection {
        let db = Connection::open_in_memory().expect("opens");
        db.execute_batch(&crate::MIGRATIONS.concat())
            .expect("a schema");
        db
    }

    fn known(hash: u64, place: i64) -> Known {
        let place = Some(place);
        Known { hash, place }
    }

    fn places(db: &Connection, hash: u64) -> Vec<i64> {
        let mut found = Vec::new();
        look(db, &[(hash, id(0))], |_, place| found.push(place)).expect("readable");
        found.sort_unstable();
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every place is found under its hash, also where several share it, and nothing else is.
        #[test]
        fn a_place_is_found_for_ever(
            spread in prop::sample::select(vec![0, 3, 40]),
            batches in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 1..30),
        ) {
            let db = tables();
            let hash = |n: u8| u64::from(n) << spread;
            let (mut model, mut last) = (BTreeMap::<u8, Vec<i64>>::new(), 0);
            for batch in batches {
                let mut come = Vec::new();
                for n in batch {
                    last += 1;
                    let place = if last % 3 == 0 { -last } else { last };
                    model.entry(n).or_default().push(place);
                    come.push(known(hash(n), place));
                }
                add_within(&db, come, (last, 0), 3, &SMALL).expect("added");
            }
            for n in 0..=u8::MAX {
                let mut expect = model.remove(&n).unwrap_or_default();
                expect.sort_unstable();
                prop_assert_eq!(places(&db, hash(n)), expect);
            }
            let state = State::read(&db).expect("readable");
            prop_assert!(state.waits[0].0 < 10 && state.waits[1].0 < 36);
        }
    }

    #[test]
    fn many_at_once_stand_in_pages_of_bounded_length() {
        let db = tables();
        let come = (0..10_000).map(|n| known(n << 20, n as i64 + 1)).collect();
        add(&db, come, 10_000, 0).expect("added");
        let longest: i64 = db
            .query_row(
                "SELECT max(length(body)) FROM derived_ledger_page",
                (),
                |row| row.get(0),
            )
            .expect("pages");
        assert!(longest <= 16 + 12 * 330, "{longest}");
        assert_eq!(places(&db, 77 << 20), [78]);
    }

    #[test]
    fn what_only_shares_the_hash_is_another_id() {
        let db = books();
        let ask = |n| {
            let found = find(&db, std::iter::once(id(n))).expect("readable");
            found[0].1
        };
        assert_eq!(ask(3).place, Some(3));
        // Under the hash of an unknown id the place of another stands, too.
        let unknown = ask(77);
        assert_eq!(unknown.place, None);
        add(&db, vec![known(unknown.hash, 2)], 4, 0).expect("added");
        assert_eq!(ask(77), unknown);
        assert_eq!(ask(2).place, Some(2));
    }

    #[test]
    fn a_page_that_was_altered_is_not_believed() {
        let db = books();
        db.execute_batch(
            "UPDATE derived_ledger_page SET body = CAST(substr(body, 1, 20) || x'0001' || substr(body, 23) AS BLOB)",
        )
        .expect("harms");
        assert!(find(&db, std::iter::once(id(2))).is_err());
        let db = books();
        db.execute_batch("UPDATE derived_ledger_page SET low = low + 1 WHERE low = 0")
            .expect("harms");
        let known = find(&db, std::iter::once(id(2)));
        assert!(known.is_err() || known.is_ok_and(|known| known[0].1.place.is_none()));
    }

    #[test]
    fn a_view_without_an_index_gets_one() {
        let db = books();
        let again = crate::apply_one(
            &db,
            bongsu_base::LogTime(3),
            crate::Instruction::void(id(9), id(77)),
        );
        assert_eq!(again, Ok(Err(crate::Refused::NoSuchTransfer)));
        db.execute_batch(
            "DELETE FROM derived_ledger_page;
             UPDATE derived_ledger_state SET last = 0, refused = 0, ids_0 = 0, swept_0 = 0, ids_1 = 0, swept_1 = 0",
        )
        .expect("emptied");
        assert_eq!(crate::check(&db), Ok(Err(crate::Broken::Transfer(1))));
        index(&db).expect("indexed");
        assert_eq!(crate::check(&db), Ok(Ok(4)));
        let refused = find(&db, std::iter::once(id(9))).expect("readable");
        assert_eq!(refused[0].1.place, Some(-1));
        index(&db).expect("nothing to do");
        assert_eq!(State::read(&db).expect("readable").waits[0].0, 5);
    }
}
