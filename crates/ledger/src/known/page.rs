//! Pages of the index over ids: each holds all entries of a range of hashes, packed, in the order of the hashes.
//!
//! A page's body is a seal of 8 bytes, the end of its range in 8, and 12 for each entry: its hash and its place, 6 each.

use crate::bytes::damaged;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};
use twox_hash::XxHash3_128;

/// How many bits of a hash are used.
const BITS: u32 = 48;
/// Above every hash.
const END: u64 = 1 << BITS;
const SEAL: usize = 8;
const HEAD: usize = SEAL + 8;
const WIDE: usize = 12;

/// Where an answer stands, under the hash of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Below [`END`].
    pub hash: u64,
    /// The number of a transfer, or below 0 that of a refusal; 47 bits and the sign.
    pub place: i64,
}

impl Entry {
    fn pack(self) -> [u8; WIDE] {
        let mut packed = [0; WIDE];
        packed[..6].copy_from_slice(&self.hash.to_be_bytes()[2..]);
        packed[6..].copy_from_slice(&self.place.to_be_bytes()[2..]);
        packed
    }

    fn unpack(packed: &[u8; WIDE]) -> Self {
        let [.., a, b, c, d, e, f] = *packed;
        let place = i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) >> 16;
        Self {
            hash: hash_of(packed),
            place,
        }
    }
}

fn hash_of(packed: &[u8; WIDE]) -> u64 {
    let [a, b, c, d, e, f, ..] = *packed;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// The entries of the hashes from where it begins, which its key says, up to before `high`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    key: i64,
    pub high: u64,
    entries: &'a [[u8; WIDE]],
}

impl<'a> Page<'a> {
    /// The page in which `hash` stands or would stand; `None` while the tier has no page at all.
    fn of_row(row: &'a Row<'_>, tier: u8) -> rusqlite::Result<Option<Self>> {
        let key: i64 = row.get(0)?;
        if key >> BITS != i64::from(tier) {
            return Ok(None);
        }
        let body = row.get_ref(1)?.as_blob()?;
        Self::read(key, body)
            .map(Some)
            .ok_or_else(|| damaged("page of ids"))
    }

    fn read(key: i64, body: &'a [u8]) -> Option<Self> {
        let (seal, sealed) = body.split_first_chunk::<SEAL>()?;
        let (high, entries) = sealed.split_first_chunk::<8>()?;
        let (entries, rest) = entries.as_chunks();
        (rest.is_empty() && *seal == seal_of(key, sealed)).then_some(Self {
            key,
            high: u64::from_le_bytes(*high),
            entries,
        })
    }

    /// All places under `hash`; more than one when ids share it.
    pub fn places(&self, hash: u64) -> impl Iterator<Item = i64> + use<'a> {
        let from = self.entries.partition_point(|entry| hash_of(entry) < hash);
        let found = self.entries[from..].iter().map(Entry::unpack);
        found
            .take_while(move |entry| entry.hash == hash)
            .map(|entry| entry.place)
    }
}

/// Two sums over a page would have to agree by chance for a bit that flipped to be believed.
fn seal_of(key: i64, sealed: &[u8]) -> [u8; SEAL] {
    let hash = XxHash3_128::oneshot_with_seed(key as u64, sealed);
    (hash as u64).to_le_bytes()
}

fn key(tier: u8, hash: u64) -> i64 {
    i64::from(tier) << BITS | hash as i64
}

fn merged(there: &[[u8; WIDE]], come: &[Entry]) -> Vec<[u8; WIDE]> {
    let mut merged = Vec::with_capacity(there.len() + come.len());
    let mut there = there;
    for entry in come {
        let before = there.partition_point(|packed| hash_of(packed) <= entry.hash);
        let (head, tail) = there.split_at(before);
        merged.extend_from_slice(head);
        merged.push(entry.pack());
        there = tail;
    }
    merged.extend_from_slice(there);
    merged
}

/// The pages in the view.
pub(super) struct Pages<'a> {
    find: CachedStatement<'a>,
    write: CachedStatement<'a>,
}

impl<'a> Pages<'a> {
    pub fn of(db: &'a Connection) -> rusqlite::Result<Self> {
        const FIND: &str =
            "SELECT low, body FROM derived_ledger_page WHERE low <= ?1 ORDER BY low DESC LIMIT 1";
        Ok(Self {
            find: db.prepare_cached(FIND)?,
            write: db.prepare_cached("REPLACE INTO derived_ledger_page VALUES (?1, ?2)")?,
        })
    }

    /// Tells `seen` of the page of a tier in which `hash` stands or would stand.
    pub fn with_page<T>(
        &mut self,
        tier: u8,
        hash: u64,
        seen: impl FnOnce(Page<'_>) -> T,
    ) -> rusqlite::Result<Option<T>> {
        self.find
            .query_row([key(tier, hash)], |row| {
                Ok(Page::of_row(row, tier)?.map(seen))
            })
            .optional()
            .map(Option::flatten)
    }

    /// Adds entries, which are in the order of their hashes, to a tier whose pages hold up to `most`.
    pub fn merge(&mut self, tier: u8, most: usize, entries: &[Entry]) -> rusqlite::Result<()> {
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let merged = self.with_page(tier, first.hash, |page| {
                let come = rest.partition_point(|entry| entry.hash < page.high);
                (
                    page.key,
                    page.high,
                    come,
                    merged(page.entries, &rest[..come]),
                )
            })?;
            let (key, high, come, merged) = merged.unwrap_or_else(|| {
                let packed = rest.iter().map(|entry| entry.pack()).collect();
                (key(tier, 0), END, rest.len(), packed)
            });
            self.write_split(key, high, most, &merged)?;
            rest = &rest[come..];
        }
        Ok(())
    }

    /// Writes a page, as several of about one size, none of them full, where it holds more than `most` entries. Those of one
    /// hash stay together.
    fn write_split(
        &mut self,
        mut key: i64,
        high: u64,
        most: usize,
        mut entries: &[[u8; WIDE]],
    ) -> rusqlite::Result<()> {
        let count = entries.len();
        let size = if count > most {
            count.div_ceil(count.div_ceil(most * 2 / 3))
        } else {
            count
        };
        while entries.len() > size {
            let end = hash_of(&entries[size]);
            let (piece, rest) =
                entries.split_at(entries.partition_point(|entry| hash_of(entry) < end));
            if piece.is_empty() {
                break;
            }
            self.write(key, end, piece)?;
            key = (key >> BITS) << BITS | end as i64;
            entries = rest;
        }
        self.write(key, high, entries)
    }

    fn write(&mut self, key: i64, high: u64, entries: &[[u8; WIDE]]) -> rusqlite::Result<()> {
        let mut body = Vec::with_capacity(HEAD + WIDE * entries.len());
        body.extend_from_slice(&[0; SEAL]);
        body.extend_from_slice(&high.to_le_bytes());
        body.extend_from_slice(entries.as_flattened());
        let seal = seal_of(key, &body[SEAL..]);
        body[..SEAL].copy_from_slice(&seal);
        self.write.execute((key, &body[..])).map(drop)
    }

    /// Takes whole pages out of a tier, from the one that begins with `from` on and around its end, until there are `most`
    /// entries or more; gives them in the order of their hashes, and says where the next page begins.
    pub fn take(
        &mut self,
        tier: u8,
        mut from: u64,
        most: usize,
    ) -> rusqlite::Result<(Vec<Entry>, u64)> {
        let mut taken = Vec::with_capacity(most);
        while taken.len() < most {
            let page = self.with_page(tier, from, |page| {
                taken.extend(page.entries.iter().map(Entry::unpack));
                (page.key, page.high)
            })?;
            let (key, high) = page.ok_or_else(|| damaged("tier of ids"))?;
            self.write(key, high, &[])?;
            from = high % END;
        }
        taken.sort_unstable();
        Ok((taken, from))
    }
}
