-- Who there is: people, groups and services, of this community (domain = '') and of others.
CREATE TABLE accounts (
    id                BIGINT PRIMARY KEY,
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
    locked            BOOLEAN NOT NULL DEFAULT FALSE,
    discoverable      BOOLEAN NOT NULL DEFAULT FALSE,
    indexable         BOOLEAN NOT NULL DEFAULT FALSE,
    hide_collections  BOOLEAN NOT NULL DEFAULT FALSE,
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
    posts_count       BIGINT NOT NULL DEFAULT 0,
    followers_count   BIGINT NOT NULL DEFAULT 0,
    following_count   BIGINT NOT NULL DEFAULT 0,
    last_post_at      BIGINT,
    created_at        BIGINT NOT NULL,
    fetched_at        BIGINT,
    suspended_at      BIGINT,
    silenced_at       BIGINT,
    -- A member who waits to be let in, or whose account was closed: nobody else sees her. Follows from her row in
    -- members, and is written with it by storage::members alone.
    hidden            BOOLEAN NOT NULL DEFAULT FALSE,
    -- The account is gone for good; the row stays so that its name and id are never given out again.
    deleted_at        BIGINT,
    -- Grows with every change of the row or of what is shown with it: what was read before is kept under it.
    version           BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX accounts_by_handle ON accounts (lower(username), domain);
CREATE INDEX accounts_by_key ON accounts (public_key_id);
CREATE INDEX accounts_by_inbox ON accounts (inbox_url);
CREATE INDEX accounts_by_domain ON accounts (domain, id);

-- The words of an account's names, without case and accents: what it is found by.
CREATE TABLE account_words (
    word       TEXT COLLATE "C" NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (word, account_id)
);
CREATE INDEX account_words_by_account ON account_words (account_id);

-- Public keys of other communities' accounts beside the one in accounts.
CREATE TABLE account_keys (
    key_id     TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    pem        TEXT NOT NULL
);
CREATE INDEX account_keys_by_account ON account_keys (account_id);

-- The private half of this community's own accounts.
CREATE TABLE members (
    account_id      BIGINT PRIMARY KEY REFERENCES accounts (id),
    email           TEXT NOT NULL,
    password_hash   TEXT,
    role            TEXT NOT NULL,
    private_key_pem TEXT NOT NULL,
    locale          TEXT NOT NULL DEFAULT 'en',
    approved_at     BIGINT,
    confirmed_at    BIGINT,
    disabled_at     BIGINT,
    sign_up_reason  TEXT NOT NULL DEFAULT '',
    invite_id       BIGINT,
    preferences     TEXT NOT NULL DEFAULT '{}',
    created_at      BIGINT NOT NULL,
    -- Grows with everything she does with posts (favourites, boosts, bookmarks, pins, muted discussions).
    marks           BIGINT NOT NULL DEFAULT 0,
    last_active_at  BIGINT
);
CREATE UNIQUE INDEX members_by_email ON members (lower(email));
-- The few among thousands. It is used where a statement says `role <> 'member'`, even if that follows from what else it says.
CREATE INDEX members_team ON members (account_id) WHERE role <> 'member';

-- A member's words on another account, for her eyes only.
CREATE TABLE account_notes (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    target_id  BIGINT NOT NULL REFERENCES accounts (id),
    note       TEXT NOT NULL,
    PRIMARY KEY (account_id, target_id)
);
CREATE INDEX account_notes_by_target ON account_notes (target_id);
