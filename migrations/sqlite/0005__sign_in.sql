-- Secrets are stored as SHA-256 only.
CREATE TABLE oauth_apps (
    id                 INTEGER PRIMARY KEY,
    client_id          TEXT NOT NULL UNIQUE,
    client_secret_hash BLOB NOT NULL,
    name               TEXT NOT NULL,
    website            TEXT,
    redirect_uris      TEXT NOT NULL,
    scopes             TEXT NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE TABLE oauth_codes (
    code_hash      BLOB PRIMARY KEY,
    app_id         INTEGER NOT NULL REFERENCES oauth_apps (id),
    account_id     INTEGER NOT NULL REFERENCES accounts (id),
    redirect_uri   TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    code_challenge TEXT,
    expires_at     INTEGER NOT NULL
) STRICT;
CREATE TABLE oauth_tokens (
    id           INTEGER PRIMARY KEY,
    token_hash   BLOB NOT NULL UNIQUE,
    app_id       INTEGER REFERENCES oauth_apps (id),
    -- NULL = the app itself (client credentials).
    account_id   INTEGER REFERENCES accounts (id),
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    -- SHA-256 of the code it was traded for: a code that comes a second time ends what it made.
    code_hash    BLOB
) STRICT;
CREATE INDEX oauth_tokens_by_account ON oauth_tokens (account_id);
CREATE INDEX oauth_tokens_by_code ON oauth_tokens (code_hash) WHERE code_hash IS NOT NULL;
CREATE TABLE sessions (
    token_hash   BLOB PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    user_agent   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE TABLE invites (
    id         INTEGER PRIMARY KEY,
    code       TEXT NOT NULL UNIQUE,
    created_by INTEGER REFERENCES accounts (id),
    max_uses   INTEGER,
    uses       INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE domain_policies (
    domain     TEXT PRIMARY KEY,
    severity   TEXT NOT NULL,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
