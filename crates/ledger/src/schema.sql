CREATE TABLE ledger_state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    last    INTEGER NOT NULL,
    time    INTEGER NOT NULL,
    refused INTEGER NOT NULL
);
INSERT INTO ledger_state VALUES (1, 0, -9223372036854775808, 0);
CREATE TABLE ledger_book (
    id        INTEGER PRIMARY KEY,
    currency  TEXT    NOT NULL,
    transfers INTEGER NOT NULL,
    link      BLOB    NOT NULL,
    proof     BLOB    NOT NULL
);
CREATE TABLE ledger_account (
    id       INTEGER PRIMARY KEY,
    ledger   INTEGER NOT NULL,
    code     INTEGER NOT NULL,
    bound    INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    body     BLOB    NOT NULL
);
-- The history: records of 231 bytes, as src/row.rs writes them.
CREATE TABLE ledger_transfer (
    n    INTEGER PRIMARY KEY,
    body BLOB    NOT NULL
);
CREATE TABLE ledger_refused (
    n           INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL,
    time        INTEGER NOT NULL,
    rule        INTEGER NOT NULL,
    fingerprint BLOB    NOT NULL
);
-- Open holds alone; an ended one is told by its absence.
CREATE TABLE ledger_hold (
    n       INTEGER PRIMARY KEY,
    expires INTEGER
);
CREATE INDEX ledger_hold_expires ON ledger_hold (expires, n) WHERE expires IS NOT NULL;
CREATE TABLE ledger_reversed (
    n      INTEGER PRIMARY KEY,
    amount INTEGER NOT NULL
);
-- Where the answer of an id stands; the last table keeps what has gone through the others (src/known.rs).
CREATE TABLE ledger_id_0 (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger_id_1 (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger_id_2 (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger_id_tier (
    tier  INTEGER PRIMARY KEY,
    ids   INTEGER NOT NULL,
    swept BLOB    NOT NULL
);
INSERT INTO ledger_id_tier VALUES (0, 0, x''), (1, 0, x'');
