CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    payload      TEXT NOT NULL,
    run_at       INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at, id);

-- Activities that were accepted (answered 202) and wait to be processed.
CREATE TABLE inbox_items (
    id           INTEGER PRIMARY KEY,
    activity_uri TEXT NOT NULL,
    -- The account whose key signed it.
    actor_id     INTEGER NOT NULL,
    host         TEXT NOT NULL,
    body         TEXT NOT NULL,
    -- It was signed by somebody else than its actor: it says only what to ask its origin for.
    forwarded    INTEGER NOT NULL DEFAULT FALSE,
    received_at  INTEGER NOT NULL,
    run_at       INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT
) STRICT;
CREATE INDEX inbox_items_by_host ON inbox_items (host, id);
CREATE INDEX inbox_items_by_actor ON inbox_items (actor_id, id);
-- The first 16 bytes of the SHA-256 of each accepted activity's id: what came before is not processed again.
CREATE TABLE received_activities (
    digest      BLOB PRIMARY KEY,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX received_activities_by_age ON received_activities (received_at);

-- The bytes of an outgoing activity, kept until its last delivery ended.
CREATE TABLE outgoing_activities (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE deliveries (
    id           INTEGER PRIMARY KEY,
    activity_id  INTEGER NOT NULL REFERENCES outgoing_activities (id),
    account_id   INTEGER NOT NULL,
    host         TEXT NOT NULL,
    inbox_url    TEXT NOT NULL,
    run_at       INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    -- The node number of the process that holds the lease.
    leased_by    INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_host ON deliveries (host, id);
CREATE INDEX deliveries_by_inbox ON deliveries (inbox_url, account_id, id);
CREATE INDEX deliveries_by_activity ON deliveries (activity_id);

-- Communities that have copies of a member's posts which nobody there may see any more: a deletion is told there too.
CREATE TABLE former_readers (
    author_id  INTEGER NOT NULL REFERENCES accounts (id),
    -- What an edit took out of its reach; 0 = what she wrote for her followers until `ended_at`.
    post_id    INTEGER NOT NULL,
    domain     TEXT NOT NULL,
    inbox_url  TEXT NOT NULL,
    ended_at   INTEGER NOT NULL,
    PRIMARY KEY (author_id, post_id, domain)
) STRICT, WITHOUT ROWID;

-- What is known about how another server answers.
CREATE TABLE hosts (
    host          TEXT PRIMARY KEY,
    failures      INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    retry_at      INTEGER NOT NULL DEFAULT 0,
    last_error    TEXT
) STRICT;
