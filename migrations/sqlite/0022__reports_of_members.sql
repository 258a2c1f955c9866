-- Reports that members write, too: `host` is empty then.
ALTER TABLE reports ADD COLUMN category TEXT NOT NULL DEFAULT 'other';
-- A JSON list of the rules that it names, as they were.
ALTER TABLE reports ADD COLUMN rules TEXT NOT NULL DEFAULT '[]';
ALTER TABLE reports ADD COLUMN forwarded INTEGER NOT NULL DEFAULT FALSE;
ALTER TABLE reports ADD COLUMN resolved_at INTEGER;
-- Nobody where it was the operator.
ALTER TABLE reports ADD COLUMN resolved_by INTEGER REFERENCES accounts (id);
CREATE INDEX reports_open ON reports (id) WHERE resolved_at IS NULL;
CREATE INDEX reports_by_reporter ON reports (account_id, created_at);

-- Moderators are told of reports: once of each, however many one reporter wrote.
ALTER TABLE notifications ADD COLUMN report_id INTEGER REFERENCES reports (id);
DROP INDEX notifications_once;
CREATE UNIQUE INDEX notifications_once
    ON notifications (account_id, from_account_id, kind, coalesce(post_id, report_id, 0));
CREATE INDEX notifications_by_report ON notifications (report_id) WHERE report_id IS NOT NULL;
