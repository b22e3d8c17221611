-- Accounts, some in a row, as src/block.rs writes them; `migrated` brings them here and drops their former table.
CREATE TABLE ledger_block (
    id   INTEGER PRIMARY KEY,
    body BLOB    NOT NULL
);
-- Where the answer of each id stands, packed (src/known.rs). Derived from the history and the refusals, and so no part
-- of the view's digest: which table an id is in depends on when the view was brought to this schema.
CREATE TABLE derived_ledger_page (
    low  INTEGER PRIMARY KEY,
    body BLOB    NOT NULL
);
-- Up to which transfer and which refusal it goes; how many ids wait in the two lower tiers, and where their next
-- stretches begin.
CREATE TABLE derived_ledger_state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    last    INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    ids_0   INTEGER NOT NULL,
    swept_0 INTEGER NOT NULL,
    ids_1   INTEGER NOT NULL,
    swept_1 INTEGER NOT NULL
);
INSERT INTO derived_ledger_state VALUES (1, 0, 0, 0, 0, 0, 0);
DROP TABLE ledger_id_0;
DROP TABLE ledger_id_1;
DROP TABLE ledger_id_2;
DROP TABLE ledger_id_tier;
