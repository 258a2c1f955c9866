CREATE TABLE jobs (
    id           BIGINT PRIMARY KEY,
    payload      TEXT NOT NULL,
    run_at       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at, id);

-- Activities that were accepted (answered 202) and wait to be processed.
CREATE TABLE inbox_items (
    id           BIGINT PRIMARY KEY,
    activity_uri TEXT NOT NULL,
    -- The account whose key signed it.
    actor_id     BIGINT NOT NULL,
    host         TEXT COLLATE "C" NOT NULL,
    body         TEXT NOT NULL,
    -- It was signed by somebody else than its actor: it says only what to ask its origin for.
    forwarded    BOOLEAN NOT NULL DEFAULT FALSE,
    received_at  BIGINT NOT NULL,
    run_at       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT
);
CREATE INDEX inbox_items_by_host ON inbox_items (host, id);
CREATE INDEX inbox_items_by_actor ON inbox_items (actor_id, id);
-- The first 16 bytes of the SHA-256 of each accepted activity's id: what came before is not processed again.
CREATE TABLE received_activities (
    digest      BYTEA PRIMARY KEY,
    received_at BIGINT NOT NULL
);
CREATE INDEX received_activities_by_age ON received_activities (received_at);

-- The bytes of an outgoing activity, kept until its last delivery ended.
CREATE TABLE outgoing_activities (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE deliveries (
    id           BIGINT PRIMARY KEY,
    activity_id  BIGINT NOT NULL REFERENCES outgoing_activities (id),
    account_id   BIGINT NOT NULL,
    host         TEXT COLLATE "C" NOT NULL,
    inbox_url    TEXT NOT NULL,
    run_at       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX deliveries_by_host ON deliveries (host, id);
CREATE INDEX deliveries_by_inbox ON deliveries (inbox_url, account_id, id);
CREATE INDEX deliveries_by_activity ON deliveries (activity_id);

-- Communities that have copies of a member's posts which nobody there may see any more: a deletion is told there too.
CREATE TABLE former_readers (
    author_id  BIGINT NOT NULL REFERENCES accounts (id),
    -- What an edit took out of its reach; 0 = what she wrote for her followers until `ended_at`.
    post_id    BIGINT NOT NULL,
    domain     TEXT NOT NULL,
    inbox_url  TEXT NOT NULL,
    ended_at   BIGINT NOT NULL,
    PRIMARY KEY (author_id, post_id, domain)
);

-- What is known about how another server answers.
CREATE TABLE hosts (
    host          TEXT PRIMARY KEY,
    failures      BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    retry_at      BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT
);
