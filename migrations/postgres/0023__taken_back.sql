-- What an actor elsewhere took back before it came: it is not done if it comes within a day.
CREATE TABLE taken_back (
    actor_id      BIGINT NOT NULL,
    -- As `inbox_items.about`.
    about         TEXT NOT NULL,
    taken_back_at BIGINT NOT NULL,
    PRIMARY KEY (actor_id, about)
);
CREATE INDEX taken_back_by_age ON taken_back (taken_back_at);
