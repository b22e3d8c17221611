-- Numbers that are given out one after the other.
CREATE TABLE pay_number (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
-- A currency and the accounts that everybody shares in it.
CREATE TABLE currency (
    ledger   INTEGER PRIMARY KEY,
    code     TEXT    NOT NULL UNIQUE,
    bank     INTEGER NOT NULL,
    fees     INTEGER NOT NULL,
    suspense INTEGER NOT NULL
);
CREATE TABLE wallet (
    owner      TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    account    INTEGER NOT NULL UNIQUE,
    level      INTEGER NOT NULL,
    frozen     INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    day_used   INTEGER NOT NULL,
    month      INTEGER NOT NULL,
    month_used INTEGER NOT NULL,
    PRIMARY KEY (owner, currency)
) WITHOUT ROWID;
CREATE TABLE bank_account (owner TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;
-- Limits that an operator set; others are in src/limits.rs.
CREATE TABLE limits (
    currency TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    payment  INTEGER NOT NULL,
    day      INTEGER NOT NULL,
    month    INTEGER NOT NULL,
    PRIMARY KEY (currency, level)
) WITHOUT ROWID;
CREATE TABLE merchant (
    id       TEXT    PRIMARY KEY,
    name     TEXT    NOT NULL,
    city     TEXT    NOT NULL,
    category INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    fee      INTEGER NOT NULL,
    pending  INTEGER NOT NULL,
    payable  INTEGER NOT NULL,
    bank     TEXT    NOT NULL,
    frozen   INTEGER NOT NULL,
    made     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE merchant_key (
    hash     BLOB    PRIMARY KEY,
    merchant TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    until    INTEGER
) WITHOUT ROWID;
CREATE INDEX merchant_key_merchant ON merchant_key (merchant, n);
-- What became of each payment, top-up, withdrawal and link; the money itself is in the ledger.
CREATE TABLE payment (
    n        INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    kind     INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    payer    TEXT    NOT NULL,
    payee    TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    fee      INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    fee_back INTEGER NOT NULL,
    note     TEXT    NOT NULL,
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    expires  INTEGER
);
CREATE INDEX payment_payee ON payment (payee, n);
-- What ends by time when nobody ends it sooner.
CREATE INDEX payment_expires ON payment (expires, n) WHERE expires IS NOT NULL;
-- Links: only hashes of their codes are kept.
CREATE TABLE link (hash BLOB PRIMARY KEY, payment BLOB NOT NULL) WITHOUT ROWID;
-- Codes that people show, by their hashes; one that was used or is over is not there.
CREATE TABLE code (hash BLOB PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX code_until ON code (until);
-- The answer of each key, for ever.
CREATE TABLE key (
    caller TEXT NOT NULL,
    key    TEXT NOT NULL,
    print  BLOB NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE TABLE settlement (
    n        INTEGER PRIMARY KEY,
    merchant TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    state    INTEGER NOT NULL,
    made     INTEGER NOT NULL
);
CREATE INDEX settlement_merchant ON settlement (merchant, n);
