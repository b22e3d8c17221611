-- Pictures of pages that people linked to, kept until `expires`.
CREATE TABLE media_kept (
    id      TEXT    PRIMARY KEY,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_kept_expires ON media_kept (expires, id);
