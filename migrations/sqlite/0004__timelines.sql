-- Written by app::fanout alone.
CREATE TABLE home_entries (
    account_id  INTEGER NOT NULL,
    post_id     INTEGER NOT NULL,
    -- What a boost shows: it is shown in a home timeline once.
    boost_of_id INTEGER,
    PRIMARY KEY (account_id, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX home_entries_by_boosted ON home_entries (account_id, boost_of_id) WHERE boost_of_id IS NOT NULL;

CREATE TABLE notifications (
    id              INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL REFERENCES accounts (id),
    from_account_id INTEGER NOT NULL REFERENCES accounts (id),
    kind            TEXT NOT NULL,
    post_id         INTEGER REFERENCES posts (id),
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_by_account ON notifications (account_id, id);
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, from_account_id, kind, coalesce(post_id, 0));
CREATE INDEX notifications_by_sender ON notifications (from_account_id);
CREATE INDEX notifications_by_post ON notifications (post_id) WHERE post_id IS NOT NULL;

-- A member's view of a private discussion with certain people.
CREATE TABLE conversations (
    id           INTEGER PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    thread_id    INTEGER NOT NULL,
    -- The others: account ids in order, separated by commas.
    participants TEXT NOT NULL,
    unread       INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (account_id, thread_id, participants)
) STRICT;
CREATE TABLE conversation_posts (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    post_id         INTEGER NOT NULL REFERENCES posts (id),
    PRIMARY KEY (conversation_id, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_posts_by_post ON conversation_posts (post_id);

CREATE TABLE lists (
    id             INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL REFERENCES accounts (id),
    title          TEXT NOT NULL,
    replies_policy TEXT NOT NULL DEFAULT 'list',
    exclusive      INTEGER NOT NULL DEFAULT FALSE
) STRICT;
CREATE INDEX lists_by_account ON lists (account_id);
CREATE TABLE list_members (
    list_id    INTEGER NOT NULL REFERENCES lists (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (list_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_members_by_account ON list_members (account_id);

CREATE TABLE markers (
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    timeline     TEXT NOT NULL,
    last_read_id INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, timeline)
) STRICT, WITHOUT ROWID;
