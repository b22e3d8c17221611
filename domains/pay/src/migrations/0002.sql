-- Where merchants are told what happened. Their signing secrets are kept nowhere: each is made of the salt and a key of the
-- installation.
CREATE TABLE webhook (
    merchant  TEXT PRIMARY KEY,
    url       TEXT NOT NULL,
    salt      BLOB NOT NULL,
    old       BLOB,
    old_until INTEGER
) WITHOUT ROWID;
-- What merchants are told, and how far that is; `about` is what was so when it happened.
CREATE TABLE delivery (
    n        INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    merchant TEXT    NOT NULL,
    about    BLOB    NOT NULL,
    made     INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- When its round began, and how many attempts there were before.
    begun    INTEGER NOT NULL,
    earlier  INTEGER NOT NULL,
    next     INTEGER,
    status   INTEGER
);
CREATE INDEX delivery_merchant ON delivery (merchant, n);
CREATE INDEX delivery_next ON delivery (merchant, next, n) WHERE next IS NOT NULL;
CREATE INDEX delivery_waits ON delivery (made, n) WHERE next IS NOT NULL;
CREATE INDEX delivery_over ON delivery (made, n) WHERE next IS NULL;
