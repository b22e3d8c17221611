-- What is good once and was used, or is good no more: client assertions, and tokens that belong to no session.
CREATE TABLE oauth_spent (
    hash  BLOB    NOT NULL PRIMARY KEY,
    -- From when it is worth nothing anyway.
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_spent_by_end ON oauth_spent (until, hash);
