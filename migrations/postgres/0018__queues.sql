-- A host has a row while something waits for it, or while it is in trouble.
ALTER TABLE hosts ALTER COLUMN host TYPE TEXT COLLATE "C";
-- When it is to be looked at: never later than something is due. NULL = nothing waits.
ALTER TABLE hosts ADD COLUMN due_at BIGINT;
-- Until then at most, a process has deliveries to it under way.
ALTER TABLE hosts ADD COLUMN busy_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX hosts_due ON hosts (due_at, host) WHERE due_at IS NOT NULL;
INSERT INTO hosts (host, due_at) SELECT DISTINCT host, 0 FROM deliveries
ON CONFLICT (host) DO UPDATE SET due_at = hosts.retry_at;

ALTER TABLE deliveries ALTER COLUMN inbox_url TYPE TEXT COLLATE "C";
DROP INDEX deliveries_by_host;
CREATE INDEX deliveries_by_host ON deliveries (host, run_at, id);
-- Deletions go first.
CREATE INDEX deliveries_of_deletions ON deliveries (host, id) WHERE id < 0;
UPDATE deliveries SET run_at = 0 WHERE id < 0 AND attempts = 0;
-- An activity and its deliveries are always written together; looking for it again with each row cost as much as the
-- row.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_activity_id_fkey;

-- It is not looked at before `run_at`.
ALTER TABLE inbox_items ADD COLUMN put_off BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE inbox_items SET put_off = TRUE WHERE attempts > 0 AND leased_until = 0;
DROP INDEX inbox_items_by_host;
DROP INDEX inbox_items_by_actor;
CREATE INDEX inbox_items_by_actor ON inbox_items (put_off, actor_id, forwarded, id);
CREATE INDEX inbox_items_by_host ON inbox_items (put_off, host, id);
CREATE INDEX inbox_items_put_off ON inbox_items (run_at, id) WHERE put_off;

-- Rows of queues live for moments: a change finds room beside its row, and what is gone is cleaned away by how much it
-- is, not by how much there once was.
ALTER TABLE jobs SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE inbox_items SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE outgoing_activities SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE hosts SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
