CREATE TABLE account (
    user        TEXT    NOT NULL PRIMARY KEY,
    -- A PHC string; NULL where nobody can sign in with a password.
    password    TEXT,
    -- Counts the passwords the account has had, from 1.
    generation  INTEGER NOT NULL,
    admin       INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    deactivated INTEGER
) WITHOUT ROWID;

CREATE TABLE device (
    user         TEXT    NOT NULL,
    device       TEXT    NOT NULL,
    display_name TEXT,
    created      INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    seen_from    TEXT    NOT NULL,
    PRIMARY KEY (user, device)
) WITHOUT ROWID;

CREATE TABLE access_token (
    hash    BLOB    NOT NULL PRIMARY KEY,
    user    TEXT    NOT NULL,
    device  TEXT    NOT NULL,
    -- NULL where the client did not ask for tokens that expire.
    expires INTEGER,
    UNIQUE (user, device)
) WITHOUT ROWID;

CREATE TABLE refresh_token (
    hash     BLOB    NOT NULL PRIMARY KEY,
    user     TEXT    NOT NULL,
    device   TEXT    NOT NULL,
    -- 0 current, 1 the one before it, 2 spent.
    standing INTEGER NOT NULL,
    -- When it got this standing; a position, so that the oldest spent ones can be forgotten.
    since    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX refresh_token_by_device ON refresh_token (user, device, standing, since);

CREATE TABLE profile (
    user  TEXT NOT NULL,
    field TEXT NOT NULL,
    -- JSON text.
    value TEXT NOT NULL,
    PRIMARY KEY (user, field)
) WITHOUT ROWID;

CREATE TABLE lockout (
    -- 0 an account, 1 an address.
    scope        INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    failures     INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    strikes      INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) WITHOUT ROWID;
CREATE INDEX lockout_by_age ON lockout (last, scope, name);
