CREATE TABLE follows (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    target_id   BIGINT NOT NULL REFERENCES accounts (id),
    uri         TEXT NOT NULL,
    show_boosts BOOLEAN NOT NULL DEFAULT TRUE,
    notify      BOOLEAN NOT NULL DEFAULT FALSE,
    languages   TEXT NOT NULL DEFAULT '[]',
    by_member   BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);
CREATE INDEX follows_by_target ON follows (target_id, id);
CREATE INDEX follows_by_members ON follows (target_id) WHERE by_member;
CREATE INDEX follows_by_account ON follows (account_id, id);
CREATE INDEX follows_by_uri ON follows (uri);

CREATE TABLE follow_requests (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    target_id   BIGINT NOT NULL REFERENCES accounts (id),
    uri         TEXT NOT NULL,
    show_boosts BOOLEAN NOT NULL DEFAULT TRUE,
    notify      BOOLEAN NOT NULL DEFAULT FALSE,
    languages   TEXT NOT NULL DEFAULT '[]',
    created_at  BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);
CREATE INDEX follow_requests_by_target ON follow_requests (target_id, id);
CREATE INDEX follow_requests_by_uri ON follow_requests (uri);

CREATE TABLE blocks (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    target_id  BIGINT NOT NULL REFERENCES accounts (id),
    uri        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);
CREATE INDEX blocks_by_target ON blocks (target_id, account_id);

CREATE TABLE mutes (
    id                 BIGINT PRIMARY KEY,
    account_id         BIGINT NOT NULL REFERENCES accounts (id),
    target_id          BIGINT NOT NULL REFERENCES accounts (id),
    hide_notifications BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at         BIGINT,
    created_at         BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);
CREATE INDEX mutes_by_target ON mutes (target_id);
CREATE INDEX mutes_expiring ON mutes (expires_at) WHERE expires_at IS NOT NULL;

-- Communities a member wants to see nothing of.
CREATE TABLE account_domain_blocks (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    domain     TEXT NOT NULL,
    id         BIGINT NOT NULL,
    PRIMARY KEY (account_id, domain)
);
