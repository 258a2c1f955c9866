-- Posts and boosts. A deleted one stays as a tombstone: content empty, deleted_at set.
CREATE TABLE posts (
    id                     INTEGER PRIMARY KEY,
    uri                    TEXT NOT NULL UNIQUE,
    url                    TEXT NOT NULL,
    account_id             INTEGER NOT NULL REFERENCES accounts (id),
    boost_of_id            INTEGER REFERENCES posts (id),
    in_reply_to_id         INTEGER REFERENCES posts (id),
    in_reply_to_account_id INTEGER,
    in_reply_to_uri        TEXT,
    -- The id of the post that began the discussion, as far as it is known here.
    thread_id              INTEGER NOT NULL,
    visibility             TEXT NOT NULL,
    content                TEXT NOT NULL,
    source                 TEXT,
    spoiler_text           TEXT NOT NULL DEFAULT '',
    sensitive              INTEGER NOT NULL DEFAULT FALSE,
    language               TEXT,
    local                  INTEGER NOT NULL,
    app_id                 INTEGER,
    created_at             INTEGER NOT NULL,
    edited_at              INTEGER,
    deleted_at             INTEGER,
    replies_count          INTEGER NOT NULL DEFAULT 0,
    boosts_count           INTEGER NOT NULL DEFAULT 0,
    favourites_count       INTEGER NOT NULL DEFAULT 0,
    -- Grows with every change of the row or of what is shown with it: what was read before is kept under it.
    version                INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX posts_by_account ON posts (account_id, id) WHERE deleted_at IS NULL;
CREATE INDEX posts_by_parent ON posts (in_reply_to_id, id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX posts_by_missing_parent ON posts (in_reply_to_uri) WHERE in_reply_to_id IS NULL AND in_reply_to_uri IS NOT NULL;
CREATE UNIQUE INDEX posts_by_boosted ON posts (boost_of_id, account_id, (CASE WHEN deleted_at IS NULL THEN 0 ELSE id END))
    WHERE boost_of_id IS NOT NULL;
CREATE INDEX posts_by_thread ON posts (thread_id, id) WHERE boost_of_id IS NULL;
CREATE INDEX posts_public ON posts (id) WHERE visibility = 'public' AND boost_of_id IS NULL AND deleted_at IS NULL;
CREATE INDEX posts_public_local ON posts (id) WHERE visibility = 'public' AND boost_of_id IS NULL AND deleted_at IS NULL AND local;

-- What a post said before each edit, and (last) what it says now; only posts that were edited have rows.
CREATE TABLE post_edits (
    id           INTEGER PRIMARY KEY,
    post_id      INTEGER NOT NULL REFERENCES posts (id),
    content      TEXT NOT NULL,
    spoiler_text TEXT NOT NULL,
    sensitive    INTEGER NOT NULL,
    -- What it showed, with the words of then.
    attachments  TEXT NOT NULL DEFAULT '[]',
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX post_edits_by_post ON post_edits (post_id, id);

-- Whom a post addresses now. Silent: without naming her; she may see it but is not told.
CREATE TABLE mentions (
    post_id    INTEGER NOT NULL REFERENCES posts (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    silent     INTEGER NOT NULL DEFAULT FALSE,
    -- When an edit addressed her first; 0 = the first version did.
    since      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (post_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_account ON mentions (account_id, post_id);

CREATE TABLE tags (
    id           INTEGER PRIMARY KEY,
    -- Normalised: lower case, NFKC.
    name         TEXT NOT NULL UNIQUE,
    -- As first written.
    display      TEXT NOT NULL
) STRICT;
CREATE TABLE post_tags (
    tag_id  INTEGER NOT NULL REFERENCES tags (id),
    post_id INTEGER NOT NULL REFERENCES posts (id),
    PRIMARY KEY (tag_id, post_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_tags_by_post ON post_tags (post_id);
CREATE TABLE tag_follows (
    tag_id     INTEGER NOT NULL REFERENCES tags (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    id         INTEGER NOT NULL,
    PRIMARY KEY (tag_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_follows_by_account ON tag_follows (account_id, id);

CREATE TABLE attachments (
    id             INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL REFERENCES accounts (id),
    post_id        INTEGER REFERENCES posts (id),
    -- The post that showed it before an edit, where none shows it now.
    former_post_id INTEGER REFERENCES posts (id),
    position       INTEGER NOT NULL DEFAULT 0,
    kind           TEXT NOT NULL,
    mime           TEXT NOT NULL,
    -- What lies elsewhere in the media store is for everybody.
    key            TEXT CHECK (key LIKE 'posts/%'),
    preview_key    TEXT CHECK (preview_key LIKE 'posts/%'),
    remote_url     TEXT,
    description    TEXT NOT NULL DEFAULT '',
    blurhash       TEXT,
    focus_x        REAL,
    focus_y        REAL,
    width          INTEGER,
    height         INTEGER,
    preview_width  INTEGER,
    preview_height INTEGER,
    size           INTEGER,
    created_at     INTEGER NOT NULL,
    -- Since when no post shows it that did.
    released_at    INTEGER
) STRICT;
CREATE INDEX attachments_by_post ON attachments (post_id, position) WHERE post_id IS NOT NULL;
CREATE INDEX attachments_by_key ON attachments (key) WHERE key IS NOT NULL;
CREATE INDEX attachments_by_preview ON attachments (preview_key) WHERE preview_key IS NOT NULL;
CREATE INDEX attachments_by_former_post ON attachments (former_post_id) WHERE former_post_id IS NOT NULL;
CREATE INDEX attachments_of_no_post ON attachments (account_id) WHERE post_id IS NULL;
CREATE INDEX attachments_unused ON attachments (created_at) WHERE post_id IS NULL AND former_post_id IS NULL;

CREATE TABLE favourites (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    post_id    INTEGER NOT NULL REFERENCES posts (id),
    uri        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (post_id, account_id)
) STRICT;
CREATE INDEX favourites_by_account ON favourites (account_id, id);
CREATE INDEX favourites_by_post ON favourites (post_id, id);

CREATE TABLE bookmarks (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    post_id    INTEGER NOT NULL REFERENCES posts (id),
    UNIQUE (post_id, account_id)
) STRICT;
CREATE INDEX bookmarks_by_account ON bookmarks (account_id, id);

CREATE TABLE pins (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    post_id    INTEGER NOT NULL REFERENCES posts (id),
    UNIQUE (post_id, account_id)
) STRICT;
CREATE INDEX pins_by_account ON pins (account_id, id);

-- Discussions a member wants to hear no more of.
CREATE TABLE thread_mutes (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    thread_id  INTEGER NOT NULL,
    PRIMARY KEY (account_id, thread_id)
) STRICT, WITHOUT ROWID;

-- So that a request sent twice publishes once.
CREATE TABLE idempotency_keys (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    key        TEXT NOT NULL,
    post_id    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE custom_emojis (
    id         INTEGER PRIMARY KEY,
    shortcode  TEXT NOT NULL,
    domain     TEXT NOT NULL,
    uri        TEXT,
    key        TEXT,
    remote_url TEXT,
    category   TEXT,
    visible    INTEGER NOT NULL DEFAULT TRUE,
    disabled   INTEGER NOT NULL DEFAULT FALSE,
    updated_at INTEGER NOT NULL,
    UNIQUE (shortcode, domain)
) STRICT;
