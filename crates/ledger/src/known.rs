//! Which ids have an answer, and where it stands.
//!
//! Ids come in no order, and one index over them in the order of arrival writes another page for nearly
//! every transfer. So new ids stand in a small table. What is too much there goes on into a larger one in
//! the order of the ids, a stretch at a time, and from there into the one that keeps them: each stretch
//! begins where the last one ended, and after the highest id with the lowest. Neighbours share pages, and
//! what the tables hold depends on nothing but the calls that were made.

use crate::TransferId;
use rusqlite::{Connection, OptionalExtension};

/// How a table hands on to the next.
struct Tier {
    /// How many ids stay.
    stay: i64,
    /// How many more there have to be before a stretch of them goes.
    stretch: i64,
    take: &'static str,
    last: &'static str,
    remove: &'static str,
}

macro_rules! tier {
    ($from:literal, $to:literal, $stay:expr, $stretch:expr) => {
        Tier {
            stay: $stay,
            stretch: $stretch,
            take: concat!(
                "INSERT INTO ledger_id_",
                $to,
                " SELECT id, place FROM ledger_id_",
                $from,
                " WHERE id > ?1 ORDER BY id LIMIT ?2"
            ),
            last: concat!(
                "SELECT max(id) FROM (SELECT id FROM ledger_id_",
                $from,
                " WHERE id > ?1 ORDER BY id LIMIT ?2)"
            ),
            remove: concat!(
                "DELETE FROM ledger_id_",
                $from,
                " WHERE id > ?1 AND id <= ?2"
            ),
        }
    };
}

const TIERS: [Tier; 2] = [
    tier!("0", "1", 1 << 16, 1 << 12),
    tier!("1", "2", 1 << 20, 1 << 12),
];

/// Where the answer of `id` stands: the number of a transfer, or below 0 that of a refusal.
pub(crate) fn find(db: &Connection, id: TransferId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT place FROM ledger_id_0 WHERE id = ?1 UNION ALL
         SELECT place FROM ledger_id_1 WHERE id = ?1 UNION ALL
         SELECT place FROM ledger_id_2 WHERE id = ?1",
    )?
    .query_row([&id.0[..]], |row| row.get(0))
    .optional()
}

/// Takes ids in that were not known, in their order.
pub(crate) fn add(
    db: &Connection,
    ids: impl Iterator<Item = (TransferId, i64)>,
) -> rusqlite::Result<()> {
    add_within(db, ids, &TIERS)
}

fn add_within(
    db: &Connection,
    ids: impl Iterator<Item = (TransferId, i64)>,
    tiers: &[Tier],
) -> rusqlite::Result<()> {
    let mut come = 0;
    let mut insert = db.prepare_cached("INSERT INTO ledger_id_0 VALUES (?1, ?2)")?;
    for (id, place) in ids {
        insert.execute((&id.0[..], place))?;
        come += 1;
    }
    for (number, tier) in (0..).zip(tiers) {
        if come == 0 {
            break;
        }
        come = tier.hand_on(db, number, come)?;
    }
    Ok(())
}

impl Tier {
    /// `come` ids have come; says how many go on.
    fn hand_on(&self, db: &Connection, number: i64, come: i64) -> rusqlite::Result<i64> {
        let (ids, swept): (i64, Vec<u8>) = db
            .prepare_cached("SELECT ids, swept FROM ledger_id_tier WHERE tier = ?1")?
            .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (ids, mut swept, mut gone) = (ids + come, swept, 0);
        let over = ids - self.stay;
        while over >= self.stretch && gone < over {
            let most = over - gone;
            let last: Option<Vec<u8>> = db
                .prepare_cached(self.last)?
                .query_row((&swept, most), |row| row.get(0))?;
            let Some(last) = last else {
                swept = Vec::new();
                continue;
            };
            gone += db.prepare_cached(self.take)?.execute((&swept, most))? as i64;
            db.prepare_cached(self.remove)?.execute((&swept, &last))?;
            swept = last;
        }
        db.prepare_cached("UPDATE ledger_id_tier SET ids = ?2, swept = ?3 WHERE tier = ?1")?
            .execute((number, ids - gone, swept))?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SMALL: [Tier; 2] = [tier!("0", "1", 8, 2), tier!("1", "2", 32, 4)];

    fn count(db: &Connection, table: &str) -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| {
            row.get(0)
        })
        .expect("readable")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every id that came is found where it stands, and the small tables stay small.
        #[test]
        fn an_id_is_found_for_ever(batches in prop::collection::vec(
            prop::collection::btree_set(any::<u16>(), 1..20), 1..30)) {
            let db = Connection::open_in_memory().expect("opens");
            db.execute_batch(crate::SCHEMA).expect("a schema");
            let id = |n: u16| TransferId((u128::from(n) << 112).to_be_bytes());
            let mut model = BTreeMap::new();
            for batch in batches {
                let mut come = Vec::new();
                for n in batch {
                    if !model.contains_key(&n) {
                        model.insert(n, model.len() as i64 + 1);
                        come.push((id(n), model[&n]));
                    }
                }
                add_within(&db, come.into_iter(), &SMALL).expect("added");
            }
            for (n, place) in &model {
                prop_assert_eq!(find(&db, id(*n)).expect("readable"), Some(*place));
                if !model.contains_key(&n.wrapping_add(1)) {
                    prop_assert_eq!(find(&db, id(n.wrapping_add(1))).expect("readable"), None);
                }
            }
            prop_assert!(count(&db, "ledger_id_0") <= 9);
            prop_assert!(count(&db, "ledger_id_1") <= 35);
            let all = ["ledger_id_0", "ledger_id_1", "ledger_id_2"].map(|table| count(&db, table));
            prop_assert_eq!(all.iter().sum::<i64>(), model.len() as i64);
        }
    }
}
