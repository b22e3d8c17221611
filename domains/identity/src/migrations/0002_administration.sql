-- Accounts that may do less: locked ones nothing, suspended ones may read and leave.
CREATE TABLE restricted (
    user      TEXT    NOT NULL PRIMARY KEY,
    locked    INTEGER NOT NULL,
    suspended INTEGER NOT NULL
) WITHOUT ROWID;

-- What operators did (crates/audit).
CREATE TABLE audit (
    n        INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    act      TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    reason   TEXT,
    link     BLOB    NOT NULL
);
