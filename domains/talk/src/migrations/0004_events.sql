-- Which event relates to which (Matrix v1.19, forming relationships between events), written when the
-- event is; both by their positions. `key` is an annotation's. `counts` is whether it is shown beside its
-- target: an edit by the target's own sender, say. A redacted event relates to nothing any more.
CREATE TABLE relation (
    event   INTEGER PRIMARY KEY,
    target  INTEGER NOT NULL,
    rel     TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    sender  TEXT    NOT NULL,
    key     TEXT,
    counts  INTEGER NOT NULL
);
CREATE INDEX relation_target ON relation (target, event);
CREATE INDEX relation_counts ON relation (target, rel, event) WHERE counts = 1;
CREATE INDEX relation_key ON relation (target, sender, type, key) WHERE key IS NOT NULL;

-- Threads by their roots; `latest` is the position of the last event in it.
CREATE TABLE thread (
    root   INTEGER PRIMARY KEY,
    room   INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    count  INTEGER NOT NULL
);
CREATE INDEX thread_latest ON thread (room, latest);

-- Who has written how much in a thread, and where their last event in it stands.
CREATE TABLE thread_member (
    root  INTEGER NOT NULL,
    user  TEXT    NOT NULL,
    count INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (root, user)
) WITHOUT ROWID;

-- What people reported to the administrators: an event, a room or a person.
CREATE TABLE report (
    position INTEGER PRIMARY KEY,
    reporter TEXT    NOT NULL,
    room     TEXT,
    event    TEXT,
    user     TEXT,
    reason   TEXT,
    time     INTEGER NOT NULL
);
