-- What an actor elsewhere took back before it came: it is not done if it comes within a day.
CREATE TABLE taken_back (
    actor_id      INTEGER NOT NULL,
    -- As `inbox_items.about`.
    about         TEXT NOT NULL,
    taken_back_at INTEGER NOT NULL,
    PRIMARY KEY (actor_id, about)
) STRICT, WITHOUT ROWID;
CREATE INDEX taken_back_by_age ON taken_back (taken_back_at);
