-- A conversation is as new as its newest post of somebody who does not block the member (whenever that was written:
-- none of theirs can be seen). Whether it was read stays as it is.
UPDATE conversations SET last_post_id = coalesce((
    SELECT cp.post_id FROM conversation_posts cp JOIN posts p ON p.id = cp.post_id
    WHERE cp.conversation_id = conversations.id AND NOT EXISTS (
        SELECT 1 FROM blocks b WHERE b.account_id = p.account_id AND b.target_id = conversations.account_id)
    ORDER BY cp.post_id DESC LIMIT 1), 0)
WHERE EXISTS (
    SELECT 1 FROM posts p JOIN blocks b ON b.account_id = p.account_id
    WHERE p.id = conversations.last_post_id AND b.target_id = conversations.account_id);
