-- Media ids that were given out before their content came. They go once `expires` has passed.
CREATE TABLE media_reserved (
    id      TEXT    PRIMARY KEY,
    user    TEXT    NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_reserved_user ON media_reserved (user, expires);
CREATE INDEX media_reserved_expires ON media_reserved (expires, id);

-- Media that is withheld from everybody.
CREATE TABLE media_quarantine (
    id TEXT PRIMARY KEY
) WITHOUT ROWID;

-- What people's uploads come to, kept so that a quota costs one look.
CREATE TABLE media_usage (
    user  TEXT    PRIMARY KEY,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO media_usage (user, files, bytes)
SELECT uploader, count(*), sum(bytes) FROM media GROUP BY uploader;

CREATE INDEX media_blob ON media (blob);
