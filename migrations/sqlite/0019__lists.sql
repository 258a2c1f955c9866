-- What anybody may see of an account: whatever else it wrote is not looked at for a stranger.
CREATE INDEX posts_open_by_account ON posts (account_id, id)
    WHERE visibility IN ('public', 'unlisted') AND deleted_at IS NULL;

-- The pictures of one account, newest post first.
CREATE INDEX attachments_by_account ON attachments (account_id, post_id) WHERE post_id IS NOT NULL;

-- The newest post of a conversation, which lists of conversations are in the order of.
ALTER TABLE conversations ADD COLUMN last_post_id INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET last_post_id = coalesce(
    (SELECT max(cp.post_id) FROM conversation_posts cp WHERE cp.conversation_id = conversations.id), 0);
CREATE INDEX conversations_by_last_post ON conversations (account_id, last_post_id);

CREATE INDEX notifications_by_kind ON notifications (account_id, kind, id);
