CREATE TABLE follows (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES accounts (id),
    target_id   INTEGER NOT NULL REFERENCES accounts (id),
    uri         TEXT NOT NULL,
    show_boosts INTEGER NOT NULL DEFAULT TRUE,
    notify      INTEGER NOT NULL DEFAULT FALSE,
    languages   TEXT NOT NULL DEFAULT '[]',
    by_member   INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (account_id, target_id)
) STRICT;
CREATE INDEX follows_by_target ON follows (target_id, id);
CREATE INDEX follows_by_members ON follows (target_id) WHERE by_member;
CREATE INDEX follows_by_account ON follows (account_id, id);
CREATE INDEX follows_by_uri ON follows (uri);

CREATE TABLE follow_requests (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES accounts (id),
    target_id   INTEGER NOT NULL REFERENCES accounts (id),
    uri         TEXT NOT NULL,
    show_boosts INTEGER NOT NULL DEFAULT TRUE,
    notify      INTEGER NOT NULL DEFAULT FALSE,
    languages   TEXT NOT NULL DEFAULT '[]',
    created_at  INTEGER NOT NULL,
    UNIQUE (account_id, target_id)
) STRICT;
CREATE INDEX follow_requests_by_target ON follow_requests (target_id, id);
CREATE INDEX follow_requests_by_uri ON follow_requests (uri);

CREATE TABLE blocks (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    target_id  INTEGER NOT NULL REFERENCES accounts (id),
    uri        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (account_id, target_id)
) STRICT;
CREATE INDEX blocks_by_target ON blocks (target_id, account_id);

CREATE TABLE mutes (
    id                 INTEGER PRIMARY KEY,
    account_id         INTEGER NOT NULL REFERENCES accounts (id),
    target_id          INTEGER NOT NULL REFERENCES accounts (id),
    hide_notifications INTEGER NOT NULL DEFAULT TRUE,
    expires_at         INTEGER,
    created_at         INTEGER NOT NULL,
    UNIQUE (account_id, target_id)
) STRICT;
CREATE INDEX mutes_by_target ON mutes (target_id);
CREATE INDEX mutes_expiring ON mutes (expires_at) WHERE expires_at IS NOT NULL;

-- Communities a member wants to see nothing of.
CREATE TABLE account_domain_blocks (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    domain     TEXT NOT NULL,
    id         INTEGER NOT NULL,
    PRIMARY KEY (account_id, domain)
) STRICT, WITHOUT ROWID;
