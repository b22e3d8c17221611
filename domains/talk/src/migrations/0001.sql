-- Rooms. `changed` is the position of the room's last event, `receipts_changed` of its last receipt.
-- `notable` counts the events that make others unread. `power` is postcard (state/power.rs).
CREATE TABLE room (
    n                INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    version          TEXT    NOT NULL,
    creator          TEXT    NOT NULL,
    created          INTEGER NOT NULL,
    changed          INTEGER NOT NULL,
    receipts_changed INTEGER NOT NULL DEFAULT 0,
    notable          INTEGER NOT NULL DEFAULT 0,
    joined           INTEGER NOT NULL DEFAULT 0,
    invited          INTEGER NOT NULL DEFAULT 0,
    visibility       INTEGER NOT NULL DEFAULT 1,
    join_rule        TEXT    NOT NULL DEFAULT 'invite',
    listed           INTEGER NOT NULL DEFAULT 0,
    power            BLOB    NOT NULL
);

-- Levels that single people have in a room; everybody else has the room's default.
CREATE TABLE power_user (
    room  INTEGER NOT NULL,
    user  TEXT    NOT NULL,
    level INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) WITHOUT ROWID;

-- Events in the order in which they were applied. An event's id is made of `position` and `tag`.
-- `replaces` is the state event before it with the same key; `visibility` is the room's history
-- visibility when it was sent; `redacted_by` is the position of the redaction.
CREATE TABLE event (
    position    INTEGER PRIMARY KEY,
    tag         INTEGER NOT NULL,
    room        INTEGER NOT NULL,
    sender      TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    state_key   TEXT,
    time        INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    replaces    INTEGER,
    visibility  INTEGER NOT NULL,
    notable     INTEGER NOT NULL,
    redacts     TEXT,
    redacted_by INTEGER,
    device      TEXT,
    txn         TEXT
);
CREATE INDEX event_room ON event (room);

CREATE TABLE state (
    room      INTEGER NOT NULL,
    type      TEXT    NOT NULL,
    state_key TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    PRIMARY KEY (room, type, state_key)
) WITHOUT ROWID;

-- Everybody who ever had to do with a room. `last_sent` is the position of their last notable event.
CREATE TABLE member (
    room        INTEGER NOT NULL,
    user        TEXT    NOT NULL,
    membership  TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    displayname TEXT,
    avatar_url  TEXT,
    last_sent   INTEGER NOT NULL DEFAULT 0,
    forgotten   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE INDEX member_user ON member (user, membership);

-- From when to when somebody was in a room, by positions; `until` is that of their leaving.
CREATE TABLE stay (
    room    INTEGER NOT NULL,
    user    TEXT    NOT NULL,
    started INTEGER NOT NULL,
    joined  INTEGER,
    until   INTEGER,
    PRIMARY KEY (room, user, started)
) WITHOUT ROWID;

-- How far somebody has read: up to the event at position `event`.
CREATE TABLE receipt (
    room    INTEGER NOT NULL,
    user    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    thread  TEXT    NOT NULL,
    event   INTEGER NOT NULL,
    time    INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (room, user, kind, thread)
) WITHOUT ROWID;
CREATE INDEX receipt_changed ON receipt (room, changed);

-- Who was mentioned by which event; user '' is everybody in the room.
CREATE TABLE mention (
    room  INTEGER NOT NULL,
    user  TEXT    NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (room, user, event)
) WITHOUT ROWID;

CREATE TABLE alias (
    alias   TEXT    PRIMARY KEY,
    room    INTEGER NOT NULL,
    creator TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX alias_room ON alias (room);

-- Room 0 holds what belongs to the account as a whole.
CREATE TABLE account_data (
    user    TEXT    NOT NULL,
    room    INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    content TEXT    NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (user, room, type)
) WITHOUT ROWID;
CREATE INDEX account_data_changed ON account_data (user, changed);

CREATE TABLE filter (
    user TEXT NOT NULL,
    id   TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (user, id)
) WITHOUT ROWID;

CREATE TABLE media (
    id           TEXT    PRIMARY KEY,
    blob         TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    content_type TEXT,
    filename     TEXT,
    uploader     TEXT    NOT NULL,
    time         INTEGER NOT NULL
) WITHOUT ROWID;
