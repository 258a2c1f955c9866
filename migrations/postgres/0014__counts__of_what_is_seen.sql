-- Boosts of what an edit made narrower since are as narrow.
UPDATE posts SET version = version + 1, visibility = 'followers'
WHERE boost_of_id IS NOT NULL AND deleted_at IS NULL AND visibility IN ('public', 'unlisted')
  AND EXISTS (SELECT 1 FROM posts o WHERE o.id = posts.boost_of_id AND o.visibility IN ('followers', 'direct'));

-- Counters are of what anybody may see (storage::counts): they counted answers, boosts and posts for fewer, and what
-- suspended and closed accounts had done. No counter grows: only those that are not nought are counted anew.
UPDATE posts SET version = version + 1, replies_count = (
    SELECT count(*) FROM posts r JOIN accounts a ON a.id = r.account_id
    WHERE r.in_reply_to_id = posts.id AND r.in_reply_to_id IS NOT NULL AND r.deleted_at IS NULL
      AND r.visibility IN ('public', 'unlisted')
      AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND NOT a.hidden)
WHERE replies_count <> 0;

UPDATE posts SET version = version + 1, boosts_count = (
    SELECT count(*) FROM posts r JOIN accounts a ON a.id = r.account_id
    WHERE r.boost_of_id = posts.id AND r.boost_of_id IS NOT NULL AND r.deleted_at IS NULL
      AND r.visibility IN ('public', 'unlisted')
      AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND NOT a.hidden)
WHERE boosts_count <> 0;

UPDATE posts SET version = version + 1, favourites_count = (
    SELECT count(*) FROM favourites f JOIN accounts a ON a.id = f.account_id
    WHERE f.post_id = posts.id AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND NOT a.hidden)
WHERE favourites_count <> 0;

UPDATE accounts SET version = version + 1,
    posts_count = (SELECT count(*) FROM posts p WHERE p.account_id = accounts.id AND p.deleted_at IS NULL
        AND p.visibility IN ('public', 'unlisted')),
    last_post_at = (SELECT max(p.created_at) FROM posts p WHERE p.account_id = accounts.id AND p.deleted_at IS NULL
        AND p.visibility IN ('public', 'unlisted'))
WHERE posts_count <> 0 OR last_post_at IS NOT NULL;
