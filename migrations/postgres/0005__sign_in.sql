-- Secrets are stored as SHA-256 only.
CREATE TABLE oauth_apps (
    id                 BIGINT PRIMARY KEY,
    client_id          TEXT NOT NULL UNIQUE,
    client_secret_hash BYTEA NOT NULL,
    name               TEXT NOT NULL,
    website            TEXT,
    redirect_uris      TEXT NOT NULL,
    scopes             TEXT NOT NULL,
    created_at         BIGINT NOT NULL
);
CREATE TABLE oauth_codes (
    code_hash      BYTEA PRIMARY KEY,
    app_id         BIGINT NOT NULL REFERENCES oauth_apps (id),
    account_id     BIGINT NOT NULL REFERENCES accounts (id),
    redirect_uri   TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    code_challenge TEXT,
    expires_at     BIGINT NOT NULL
);
CREATE TABLE oauth_tokens (
    id           BIGINT PRIMARY KEY,
    token_hash   BYTEA NOT NULL UNIQUE,
    app_id       BIGINT REFERENCES oauth_apps (id),
    -- NULL = the app itself (client credentials).
    account_id   BIGINT REFERENCES accounts (id),
    scopes       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    -- SHA-256 of the code it was traded for: a code that comes a second time ends what it made.
    code_hash    BYTEA
);
CREATE INDEX oauth_tokens_by_account ON oauth_tokens (account_id);
CREATE INDEX oauth_tokens_by_code ON oauth_tokens (code_hash) WHERE code_hash IS NOT NULL;
CREATE TABLE sessions (
    token_hash   BYTEA PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    user_agent   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE TABLE invites (
    id         BIGINT PRIMARY KEY,
    code       TEXT NOT NULL UNIQUE,
    created_by BIGINT REFERENCES accounts (id),
    max_uses   BIGINT,
    uses       BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE domain_policies (
    domain     TEXT PRIMARY KEY,
    severity   TEXT NOT NULL,
    comment    TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
