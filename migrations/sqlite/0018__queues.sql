-- A host has a row while something waits for it, or while it is in trouble.
-- When it is to be looked at: never later than something is due. NULL = nothing waits.
ALTER TABLE hosts ADD COLUMN due_at INTEGER;
-- Until then at most, a process has deliveries to it under way.
ALTER TABLE hosts ADD COLUMN busy_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX hosts_due ON hosts (due_at, host) WHERE due_at IS NOT NULL;
INSERT INTO hosts (host, due_at) SELECT DISTINCT host, 0 FROM deliveries WHERE TRUE
ON CONFLICT (host) DO UPDATE SET due_at = hosts.retry_at;

DROP INDEX deliveries_by_host;
CREATE INDEX deliveries_by_host ON deliveries (host, run_at, id);
-- Deletions go first.
CREATE INDEX deliveries_of_deletions ON deliveries (host, id) WHERE id < 0;
UPDATE deliveries SET run_at = 0 WHERE id < 0 AND attempts = 0;

-- It is not looked at before `run_at`.
ALTER TABLE inbox_items ADD COLUMN put_off INTEGER NOT NULL DEFAULT FALSE;
UPDATE inbox_items SET put_off = TRUE WHERE attempts > 0 AND leased_until = 0;
DROP INDEX inbox_items_by_host;
DROP INDEX inbox_items_by_actor;
CREATE INDEX inbox_items_by_actor ON inbox_items (put_off, actor_id, forwarded, id);
CREATE INDEX inbox_items_by_host ON inbox_items (put_off, host, id);
CREATE INDEX inbox_items_put_off ON inbox_items (run_at, id) WHERE put_off;
