-- What lets a second device of a person sign in once.
CREATE TABLE login_token (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user       TEXT    NOT NULL,
    -- Which of the account's passwords it was made with: it ends with that one.
    generation INTEGER NOT NULL,
    until      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_token_by_end ON login_token (until, hash);
