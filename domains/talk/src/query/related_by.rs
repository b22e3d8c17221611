//! Filters by what relates to an event (Matrix v1.19, filtering: `related_by_senders`,
//! `related_by_rel_types`).

use crate::state::events::Event;
use rusqlite::Connection;
use std::cell::RefCell;

/// Which relations an event must have to be wanted. `None` asks for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelatedBy {
    /// Somebody of these relates something to it.
    pub senders: Option<Vec<String>>,
    /// Something relates to it in one of these ways.
    pub rel_types: Option<Vec<String>>,
}

impl RelatedBy {
    /// Whether anything is asked for.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.senders.is_some() || self.rel_types.is_some()
    }
}

/// A look at events that remembers what went wrong with it.
pub struct RelatedLook<'a> {
    db: &'a Connection,
    wanted: &'a RelatedBy,
    failure: RefCell<Option<rusqlite::Error>>,
}

impl<'a> RelatedLook<'a> {
    /// A look for `wanted`.
    #[must_use]
    pub fn new(db: &'a Connection, wanted: &'a RelatedBy) -> Self {
        Self {
            db,
            wanted,
            failure: RefCell::default(),
        }
    }

    /// Whether `event` is wanted.
    pub fn admits(&self, event: &Event) -> bool {
        if !self.wanted.asks() {
            return true;
        }
        self.related(event).unwrap_or_else(|error| {
            self.failure.replace(Some(error));
            false
        })
    }

    fn related(&self, event: &Event) -> rusqlite::Result<bool> {
        let mut statement = self
            .db
            .prepare_cached("SELECT sender, rel FROM relation WHERE target = ?1 ORDER BY event")?;
        let mut rows = statement.query([event.position.as_i64()])?;
        let among = |list: &Option<Vec<String>>, one: &str| {
            let is = |list: &Vec<String>| list.iter().any(|other| other == one);
            list.as_ref().is_none_or(is)
        };
        while let Some(row) = rows.next()? {
            if among(&self.wanted.senders, row.get_ref(0)?.as_str()?)
                && among(&self.wanted.rel_types, row.get_ref(1)?.as_str()?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What went wrong, if something did.
    ///
    /// # Errors
    /// When the view could not be read.
    pub fn finish(self) -> rusqlite::Result<()> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }
}
