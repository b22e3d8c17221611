-- Up to where people have forgotten a room: what they knew of it until then they read again once they come back.
CREATE TABLE forgotten (
    room INTEGER NOT NULL,
    user TEXT    NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) WITHOUT ROWID;
