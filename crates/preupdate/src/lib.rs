//! SQLite's pre-update hook for a [`rusqlite::Connection`]: every row that is written, as it was and as
//! it will be.
//!
//! `rusqlite` offers the hook only with bindings generated at build time, which needs libclang on every
//! machine that builds. The four functions of SQLite that are missing otherwise are declared here; the
//! library is compiled with `SQLITE_ENABLE_PREUPDATE_HOOK` (`.cargo/config.toml`), without which this
//! crate does not link.
//!
//! It promises that whoever watches is told of every row of every ordinary table that the connection
//! inserts, updates or deletes, rows that a conflict pushes out and tables without rowids included, and
//! that nothing outlives the connection. Whether a change is rolled back later, it does not say. It must
//! never know what the rows mean.
//!
//! This is the one crate of the house in which `unsafe` may stand.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ffi};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::ops::Deref;
use std::slice;

type Hook = unsafe extern "C" fn(
    context: *mut c_void,
    db: *mut ffi::sqlite3,
    operation: c_int,
    schema: *const c_char,
    table: *const c_char,
    old_rowid: ffi::sqlite3_int64,
    new_rowid: ffi::sqlite3_int64,
);

// As in SQLite's documentation, "The pre-update hook" (https://sqlite.org/c3ref/preupdate_blobwrite.html).
#[expect(unsafe_code, reason = "SQLite is written in C")]
unsafe extern "C" {
    fn sqlite3_preupdate_hook(
        db: *mut ffi::sqlite3,
        hook: Option<Hook>,
        context: *mut c_void,
    ) -> *mut c_void;
    fn sqlite3_preupdate_old(
        db: *mut ffi::sqlite3,
        column: c_int,
        value: *mut *mut ffi::sqlite3_value,
    ) -> c_int;
    fn sqlite3_preupdate_new(
        db: *mut ffi::sqlite3,
        column: c_int,
        value: *mut *mut ffi::sqlite3_value,
    ) -> c_int;
    fn sqlite3_preupdate_count(db: *mut ffi::sqlite3) -> c_int;
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Insert,
    /// It changes.
    Update,
    /// It goes.
    Delete,
}

/// One row that is about to be written.
#[derive(Debug)]
pub struct Change<'a> {
    db: *mut ffi::sqlite3,
    kind: Kind,
    schema: &'a CStr,
    table: &'a CStr,
}

impl Change<'_> {
    /// What happens to the row.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The schema that the table is in: `main`, `temp`, or as it was attached.
    #[must_use]
    pub fn schema(&self) -> &CStr {
        self.schema
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &CStr {
        self.table
    }

    /// How many columns the table has.
    #[must_use]
    #[expect(unsafe_code, reason = "SQLite is written in C")]
    pub fn columns(&self) -> usize {
        // SAFETY: a `Change` lives only while its hook runs, when this may be called.
        let count = unsafe { sqlite3_preupdate_count(self.db) };
        usize::try_from(count).unwrap_or_default()
    }

    /// A column of the row as it was, counted from 0.
    ///
    /// # Errors
    /// When the row is new, when there is no such column, and when memory or the disk fail.
    pub fn before(&self, column: usize) -> Result<ValueRef<'_>, Error> {
        if self.kind == Kind::Insert {
            return Err(misuse());
        }
        self.value(sqlite3_preupdate_old, column)
    }

    /// A column of the row as it will be, counted from 0.
    ///
    /// # Errors
    /// When the row goes, when there is no such column, and when memory or the disk fail.
    pub fn after(&self, column: usize) -> Result<ValueRef<'_>, Error> {
        if self.kind == Kind::Delete {
            return Err(misuse());
        }
        self.value(sqlite3_preupdate_new, column)
    }

    #[expect(unsafe_code, reason = "SQLite is written in C")]
    fn value(
        &self,
        read: unsafe extern "C" fn(*mut ffi::sqlite3, c_int, *mut *mut ffi::sqlite3_value) -> c_int,
        column: usize,
    ) -> Result<ValueRef<'_>, Error> {
        let column = c_int::try_from(column).map_err(|_| misuse())?;
        let mut value = std::ptr::null_mut();
        // SAFETY: the hook runs, and `read` suits the kind of change (`before` and `after` look).
        let code = unsafe { read(self.db, column, &raw mut value) };
        if code != ffi::SQLITE_OK {
            return Err(Error::SqliteFailure(ffi::Error::new(code), None));
        }
        if value.is_null() {
            return Err(misuse());
        }
        // SAFETY: SQLite gave the value, and it stays until the hook returns; `self` does not outlive
        // that, and nothing here changes the value's type, since text is in UTF-8 already.
        Ok(unsafe { value_ref(value) })
    }
}

/// # Safety
/// `value` is a value of SQLite's that stays, unchanged, for `'a`.
#[expect(unsafe_code, reason = "SQLite is written in C")]
unsafe fn value_ref<'a>(value: *mut ffi::sqlite3_value) -> ValueRef<'a> {
    // SAFETY: as the caller promises. Text and blobs are read in the order that SQLite's documentation
    // asks for: first the pointer, then the length.
    unsafe {
        match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let text = ffi::sqlite3_value_text(value);
                ValueRef::Text(bytes(text, ffi::sqlite3_value_bytes(value)))
            }
            ffi::SQLITE_BLOB => {
                let blob = ffi::sqlite3_value_blob(value).cast();
                ValueRef::Blob(bytes(blob, ffi::sqlite3_value_bytes(value)))
            }
            _ => ValueRef::Null,
        }
    }
}

/// # Safety
/// `from` is null, or `len` bytes stay there, unchanged, for `'a`.
#[expect(unsafe_code, reason = "SQLite is written in C")]
unsafe fn bytes<'a>(from: *const u8, len: c_int) -> &'a [u8] {
    let len = usize::try_from(len).unwrap_or_default();
    if from.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(from, len) }
}

fn misuse() -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_MISUSE), None)
}

/// Who is told of changes. It is called while a statement runs and cannot reach the connection.
pub trait Watcher: Send + 'static {
    /// A row is about to be written.
    fn change(&mut self, change: &Change<'_>);
}

impl<F: FnMut(&Change<'_>) + Send + 'static> Watcher for F {
    fn change(&mut self, change: &Change<'_>) {
        self(change);
    }
}

/// A connection whose changes a [`Watcher`] is told of, for as long as it lives.
pub struct Watched<W: Watcher> {
    db: Connection,
    watcher: *mut W,
}

// SAFETY: the watcher is owned, it may be sent, and so may the connection; SQLite calls the hook only on
// the thread that uses the connection.
#[expect(unsafe_code, reason = "a raw pointer to what is owned")]
unsafe impl<W: Watcher> Send for Watched<W> {}

impl<W: Watcher> fmt::Debug for Watched<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("db", &self.db).finish()
    }
}

impl<W: Watcher> Watched<W> {
    /// Tells `watcher` of all that `db` writes from now on.
    #[must_use]
    #[expect(unsafe_code, reason = "SQLite is written in C")]
    pub fn new(db: Connection, watcher: W) -> Self {
        let watcher = Box::into_raw(Box::new(watcher));
        // SAFETY: the connection is open, and `Drop` takes the hook away before the watcher goes.
        unsafe { sqlite3_preupdate_hook(db.handle(), Some(hook::<W>), watcher.cast()) };
        Self { db, watcher }
    }
}

impl<W: Watcher> Deref for Watched<W> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.db
    }
}

impl<W: Watcher> Drop for Watched<W> {
    #[expect(unsafe_code, reason = "SQLite is written in C")]
    fn drop(&mut self) {
        // SAFETY: the connection is open; after the first call nothing but `self` has the pointer, which
        // came from a `Box`.
        unsafe {
            sqlite3_preupdate_hook(self.db.handle(), None, std::ptr::null_mut());
            drop(Box::from_raw(self.watcher));
        }
    }
}

/// What SQLite calls. A panic in the watcher ends the process, since it may not cross into C.
#[expect(unsafe_code, reason = "SQLite is written in C")]
unsafe extern "C" fn hook<W: Watcher>(
    context: *mut c_void,
    db: *mut ffi::sqlite3,
    operation: c_int,
    schema: *const c_char,
    table: *const c_char,
    _old_rowid: ffi::sqlite3_int64,
    _new_rowid: ffi::sqlite3_int64,
) {
    let kind = match operation {
        ffi::SQLITE_INSERT => Kind::Insert,
        ffi::SQLITE_DELETE => Kind::Delete,
        _ => Kind::Update,
    };
    // SAFETY: SQLite gives the context it was given, which `Watched` keeps and nobody else uses while a
    // statement runs, and names that end in a zero and stay until this returns.
    let (watcher, schema, table) = unsafe {
        (
            &mut *context.cast::<W>(),
            CStr::from_ptr(schema),
            CStr::from_ptr(table),
        )
    };
    watcher.change(&Change {
        db,
        kind,
        schema,
        table,
    });
}
