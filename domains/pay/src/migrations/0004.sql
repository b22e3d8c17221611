-- What people ask of each other; the payments of shares are in `payment`.
CREATE TABLE bill (
    n        INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    asker    TEXT    NOT NULL,
    note     TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    state    INTEGER NOT NULL,
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    expires  INTEGER
);
CREATE INDEX bill_asker ON bill (asker, n);
CREATE INDEX bill_expires ON bill (expires, n) WHERE expires IS NOT NULL;
-- What a bill, by its number, asks of each.
CREATE TABLE share (
    bill    INTEGER NOT NULL,
    nth     INTEGER NOT NULL,
    person  TEXT    NOT NULL,
    amount  INTEGER NOT NULL,
    state   INTEGER NOT NULL,
    payment BLOB,
    PRIMARY KEY (bill, nth)
) WITHOUT ROWID;
CREATE UNIQUE INDEX share_person ON share (person, bill);
-- What people let merchants charge; `payer` is empty until somebody consents.
CREATE TABLE subscription (
    n        INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    merchant TEXT    NOT NULL,
    payer    TEXT    NOT NULL,
    payment  BLOB    NOT NULL UNIQUE,
    max      INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    period   INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    note     TEXT    NOT NULL,
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    begun    INTEGER NOT NULL,
    charged  INTEGER NOT NULL,
    charges  INTEGER NOT NULL,
    last     BLOB
);
CREATE INDEX subscription_merchant ON subscription (merchant, n);
CREATE INDEX subscription_payer ON subscription (payer, n);
-- Purchases that payers dispute.
CREATE TABLE dispute (
    n        INTEGER PRIMARY KEY,
    payment  BLOB    NOT NULL UNIQUE,
    merchant TEXT    NOT NULL,
    payer    TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    state    INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    answer   TEXT    NOT NULL,
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL
);
CREATE INDEX dispute_merchant ON dispute (merchant, n);
CREATE INDEX dispute_payer ON dispute (payer, n);
-- What is withheld from settlement.
CREATE INDEX dispute_open ON dispute (merchant, payment) WHERE state < 3;
-- Which payments are looked at before the money moves; `kind` as in src/rule.rs.
CREATE TABLE rule (
    currency TEXT    NOT NULL,
    kind     INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    within   INTEGER NOT NULL,
    PRIMARY KEY (currency, kind)
) WITHOUT ROWID;
-- Payments that wait for an operator: by which rule, and what becomes of them when they are released.
CREATE TABLE review (
    payment BLOB    PRIMARY KEY,
    n       INTEGER NOT NULL UNIQUE,
    rule    INTEGER NOT NULL,
    next    INTEGER NOT NULL,
    room    TEXT
) WITHOUT ROWID;
CREATE INDEX share_payment ON share (payment) WHERE payment IS NOT NULL;
-- What a person has paid of late, and whom.
CREATE INDEX payment_payer ON payment (payer, n);
