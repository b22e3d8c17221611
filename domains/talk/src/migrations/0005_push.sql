-- Tokens by which other services can ask who somebody is, by their hashes. `expires` is log time.
CREATE TABLE openid_token (
    hash    TEXT    PRIMARY KEY,
    user    TEXT    NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX openid_token_expires ON openid_token (expires);
