-- Who there is: people, groups and services, of this community (domain = '') and of others.
CREATE TABLE accounts (
    id                INTEGER PRIMARY KEY,
    username          TEXT NOT NULL,
    domain            TEXT NOT NULL,
    uri               TEXT NOT NULL UNIQUE,
    url               TEXT NOT NULL,
    kind              TEXT NOT NULL,
    display_name      TEXT NOT NULL DEFAULT '',
    note              TEXT NOT NULL DEFAULT '',
    fields            TEXT NOT NULL DEFAULT '[]',
    avatar            TEXT,
    header            TEXT,
    locked            INTEGER NOT NULL DEFAULT FALSE,
    discoverable      INTEGER NOT NULL DEFAULT FALSE,
    indexable         INTEGER NOT NULL DEFAULT FALSE,
    hide_collections  INTEGER NOT NULL DEFAULT FALSE,
    inbox_url         TEXT NOT NULL,
    shared_inbox_url  TEXT,
    outbox_url        TEXT,
    followers_url     TEXT,
    following_url     TEXT,
    featured_url      TEXT,
    public_key_pem    TEXT NOT NULL,
    public_key_id     TEXT NOT NULL,
    also_known_as     TEXT NOT NULL DEFAULT '[]',
    moved_to_uri      TEXT,
    posts_count       INTEGER NOT NULL DEFAULT 0,
    followers_count   INTEGER NOT NULL DEFAULT 0,
    following_count   INTEGER NOT NULL DEFAULT 0,
    last_post_at      INTEGER,
    created_at        INTEGER NOT NULL,
    fetched_at        INTEGER,
    suspended_at      INTEGER,
    silenced_at       INTEGER,
    -- A member who waits to be let in, or whose account was closed: nobody else sees her. Follows from her row in
    -- members, and is written with it by storage::members alone.
    hidden            INTEGER NOT NULL DEFAULT FALSE,
    -- The account is gone for good; the row stays so that its name and id are never given out again.
    deleted_at        INTEGER,
    -- Grows with every change of the row or of what is shown with it: what was read before is kept under it.
    version           INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX accounts_by_handle ON accounts (lower(username), domain);
CREATE INDEX accounts_by_key ON accounts (public_key_id);
CREATE INDEX accounts_by_inbox ON accounts (inbox_url);
CREATE INDEX accounts_by_domain ON accounts (domain, id);

-- The words of an account's names, without case and accents: what it is found by.
CREATE TABLE account_words (
    word       TEXT NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (word, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_words_by_account ON account_words (account_id);

-- Public keys of other communities' accounts beside the one in accounts.
CREATE TABLE account_keys (
    key_id     TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    pem        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_keys_by_account ON account_keys (account_id);

-- The private half of this community's own accounts.
CREATE TABLE members (
    account_id      INTEGER PRIMARY KEY REFERENCES accounts (id),
    email           TEXT NOT NULL,
    password_hash   TEXT,
    role            TEXT NOT NULL,
    private_key_pem TEXT NOT NULL,
    locale          TEXT NOT NULL DEFAULT 'en',
    approved_at     INTEGER,
    confirmed_at    INTEGER,
    disabled_at     INTEGER,
    sign_up_reason  TEXT NOT NULL DEFAULT '',
    invite_id       INTEGER,
    preferences     TEXT NOT NULL DEFAULT '{}',
    created_at      INTEGER NOT NULL,
    -- Grows with everything she does with posts (favourites, boosts, bookmarks, pins, muted discussions).
    marks           INTEGER NOT NULL DEFAULT 0,
    last_active_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX members_by_email ON members (lower(email));
-- The few among thousands. It is used where a statement says `role <> 'member'`, even if that follows from what else it says.
CREATE INDEX members_team ON members (account_id) WHERE role <> 'member';

-- A member's words on another account, for her eyes only.
CREATE TABLE account_notes (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    target_id  INTEGER NOT NULL REFERENCES accounts (id),
    note       TEXT NOT NULL,
    PRIMARY KEY (account_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_notes_by_target ON account_notes (target_id);
