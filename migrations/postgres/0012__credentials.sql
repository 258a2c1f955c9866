-- Grows with every change of what a member's sign-in was judged by: password, role, approval, closing, deletion. What was
-- judged by an older version (a log-in under way, an app's code) makes no session and no token.
ALTER TABLE members ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
-- The version the member had when the app was allowed in.
ALTER TABLE oauth_codes ADD COLUMN credentials_version BIGINT NOT NULL DEFAULT 0;
