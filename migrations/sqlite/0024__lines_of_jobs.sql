-- The account whose doings other servers are told of in their order; NULL = it waits for none.
ALTER TABLE jobs ADD COLUMN line INTEGER;
CREATE INDEX jobs_by_line ON jobs (line, id);
