-- What the operator decided about how long things are kept, in milliseconds; NULL is for ever.
CREATE TABLE retention (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    events INTEGER,
    media  INTEGER
);

-- Up to where a room's events were purged, and the room's count of notable events there.
CREATE TABLE purged (
    room    INTEGER PRIMARY KEY,
    upto    INTEGER NOT NULL,
    notable INTEGER NOT NULL
);

-- Roots of threads that were purged before the last reply was; `tag` is that of the root's id.
CREATE TABLE purged_root (
    root INTEGER PRIMARY KEY,
    tag  INTEGER NOT NULL
);
CREATE INDEX mention_event ON mention (event);
-- State that replaced other state, which goes in time.
CREATE INDEX event_replacing ON event (room, position) WHERE replaces IS NOT NULL
    AND type NOT IN ('m.room.create', 'm.room.member', 'm.room.power_levels');

-- Pictures that are shown now; media that one of them is does not go by age. `member` has the others.
CREATE TABLE room_avatar (
    room INTEGER PRIMARY KEY,
    url  TEXT    NOT NULL
);
INSERT INTO room_avatar (room, url)
SELECT state.room, json_extract(event.content, '$.url') FROM state JOIN event USING (position)
WHERE state.type = 'm.room.avatar' AND state.state_key = ''
  AND json_type(event.content, '$.url') = 'text';
CREATE INDEX room_avatar_url ON room_avatar (url);
CREATE TABLE user_avatar (
    user TEXT PRIMARY KEY,
    url  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX user_avatar_url ON user_avatar (url);
CREATE INDEX member_avatar ON member (avatar_url) WHERE avatar_url IS NOT NULL;

CREATE INDEX media_time ON media (time, id);
CREATE INDEX media_uploader ON media (uploader, id);
-- Media that goes neither by age nor with a room's.
CREATE TABLE media_protected (
    id TEXT PRIMARY KEY
) WITHOUT ROWID;

-- Rooms that nobody may enter, by id: some are gone, some were never here.
CREATE TABLE blocked_room (
    id    TEXT    PRIMARY KEY,
    since INTEGER NOT NULL
) WITHOUT ROWID;

-- Rooms that are being shut down: everybody in them is moved out, and invited to `replacement`.
CREATE TABLE closing_room (
    room        INTEGER PRIMARY KEY,
    speaker     TEXT    NOT NULL,
    notice      TEXT    NOT NULL,
    replacement INTEGER
);

-- Rooms that are being deleted.
CREATE TABLE doomed_room (
    room INTEGER PRIMARY KEY
);

-- People whose messages are shown to nobody any more. What they wrote is taken away room by room, from
-- the one numbered `room` on and there from the event after `event` on, until `done`.
CREATE TABLE erased (
    user  TEXT    PRIMARY KEY,
    since INTEGER NOT NULL,
    room  INTEGER NOT NULL,
    event INTEGER NOT NULL,
    done  INTEGER NOT NULL
) WITHOUT ROWID;

-- What became of reports.
CREATE TABLE report_resolved (
    position INTEGER PRIMARY KEY,
    who      TEXT    NOT NULL,
    note     TEXT,
    time     INTEGER NOT NULL
);

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
