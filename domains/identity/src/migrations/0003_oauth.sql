-- Keys of the OpenID provider, sealed under a key that is not here.
CREATE TABLE oauth_key (
    kid         TEXT    NOT NULL PRIMARY KEY,
    -- 0 refresh tokens, 1 EdDSA, 2 ES256, 3 RS256.
    kind        INTEGER NOT NULL,
    -- A JWK; empty where there is no public half.
    public      TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    -- Which key-encryption key seals it.
    sealed_with BLOB    NOT NULL,
    made        INTEGER NOT NULL,
    signs_from  INTEGER NOT NULL,
    -- NULL for the newest of its kind.
    gone_from   INTEGER
) WITHOUT ROWID;

CREATE TABLE oauth_client (
    client     TEXT    NOT NULL PRIMARY KEY,
    -- JSON (src/client.rs).
    metadata   TEXT    NOT NULL,
    -- NULL for clients that keep no secret.
    secret     BLOB,
    -- The one before, and until when it is taken too.
    old_secret BLOB,
    old_until  INTEGER,
    -- Where it is told that somebody signed out.
    logout_uri TEXT,
    -- Whether people are not asked before it learns of them.
    trusted    INTEGER NOT NULL,
    -- Whether it registered itself.
    registered INTEGER NOT NULL,
    made       INTEGER NOT NULL
) WITHOUT ROWID;

-- Browsers in which somebody is signed in.
CREATE TABLE oauth_browser (
    hash      BLOB    NOT NULL PRIMARY KEY,
    user      TEXT    NOT NULL,
    device    TEXT    NOT NULL,
    auth_time INTEGER NOT NULL,
    until     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX oauth_browser_by_device ON oauth_browser (user, device);
CREATE INDEX oauth_browser_by_end ON oauth_browser (until, hash);

CREATE TABLE oauth_code (
    hash    BLOB    NOT NULL PRIMARY KEY,
    -- What was granted, as postcard (src/command/oauth.rs, `Granted`).
    body    BLOB    NOT NULL,
    user    TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    -- The session that was begun with it.
    session INTEGER
) WITHOUT ROWID;
CREATE INDEX oauth_code_by_end ON oauth_code (until, hash);

-- Sessions of clients, each a device of its account.
CREATE TABLE oauth_session (
    n          INTEGER PRIMARY KEY,
    user       TEXT    NOT NULL,
    device     TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    -- The device of the browser in which it was begun.
    browser    TEXT,
    -- The thumbprint of the key to which its tokens are bound.
    jkt        BLOB,
    auth_time  INTEGER NOT NULL,
    -- The claims that were asked for beyond the scope, as JSON.
    claims     TEXT,
    -- Of the current refresh token, from 1; 0 where there is none.
    generation INTEGER NOT NULL,
    -- When the current tokens were made.
    refreshed  INTEGER NOT NULL,
    -- How long an access token lasts.
    lasts      INTEGER NOT NULL,
    -- The day after which it may be forgotten, from 1970.
    day        INTEGER NOT NULL
);
CREATE UNIQUE INDEX oauth_session_by_device ON oauth_session (user, device);
CREATE INDEX oauth_session_by_browser ON oauth_session (user, browser) WHERE browser IS NOT NULL;
CREATE INDEX oauth_session_by_client ON oauth_session (client);
CREATE INDEX oauth_session_by_day ON oauth_session (day, n);

-- Sessions that ended while access tokens of theirs could be good.
CREATE TABLE oauth_revoked (
    n     INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
);
CREATE INDEX oauth_revoked_by_end ON oauth_revoked (until, n);

CREATE TABLE oauth_consent (
    user   TEXT    NOT NULL,
    client TEXT    NOT NULL,
    scope  TEXT    NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (user, client)
) WITHOUT ROWID;

-- Devices without a browser that wait for somebody to let them in (RFC 8628).
CREATE TABLE oauth_device_code (
    hash      BLOB    NOT NULL PRIMARY KEY,
    -- What the person types, without the hyphen.
    user_code TEXT    NOT NULL UNIQUE,
    client    TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    until     INTEGER NOT NULL,
    -- 0 waits, 1 let in, 2 turned away.
    answer    INTEGER NOT NULL,
    user      TEXT,
    auth_time INTEGER,
    -- When it last asked, and how long it has to wait between two questions.
    polled    INTEGER NOT NULL,
    interval  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_device_code_by_end ON oauth_device_code (until, hash);

-- The last number of a session, the number of registered clients.
CREATE TABLE oauth_counter (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
