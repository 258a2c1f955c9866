-- What other communities' people ask those who run this one to look at.
CREATE TABLE reports (
    id         INTEGER PRIMARY KEY,
    uri        TEXT NOT NULL UNIQUE,
    -- Who reports: an account of another community.
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    -- The member whom it is about.
    target_id  INTEGER NOT NULL REFERENCES accounts (id),
    -- A JSON list of ids.
    post_ids   TEXT NOT NULL DEFAULT '[]',
    comment    TEXT NOT NULL,
    host       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_by_target ON reports (target_id, id);
CREATE INDEX reports_by_host ON reports (host, created_at);
