-- What an outgoing activity brings: a post or boost (`post ID`), or the ActivityPub id of a like, follow or block. What
-- is deleted or undone is dropped from the queue by it. NULL = it takes something back, and always goes.
ALTER TABLE outgoing_activities ADD COLUMN subject TEXT;
-- `create`: publishes a post. `addressed`: publishes it again, for accounts that an edit addresses first. `update`.
ALTER TABLE outgoing_activities ADD COLUMN kind TEXT NOT NULL DEFAULT 'other';
CREATE INDEX outgoing_activities_by_subject ON outgoing_activities (subject) WHERE subject IS NOT NULL;
CREATE INDEX outgoing_activities_by_account ON outgoing_activities (account_id, id);

-- As above.
ALTER TABLE jobs ADD COLUMN subject TEXT;
CREATE INDEX jobs_by_subject ON jobs (subject) WHERE subject IS NOT NULL;

-- The ActivityPub id by which its actor would take back what the activity brings.
ALTER TABLE inbox_items ADD COLUMN about TEXT;
CREATE INDEX inbox_items_by_about ON inbox_items (actor_id, about) WHERE about IS NOT NULL;
