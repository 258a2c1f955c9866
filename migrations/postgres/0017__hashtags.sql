-- How a hashtag is spelt comes from posts that everybody may see.
UPDATE tags SET display = name WHERE display <> name AND NOT EXISTS (
    SELECT 1 FROM post_tags pt JOIN posts p ON p.id = pt.post_id
    WHERE pt.tag_id = tags.id AND p.visibility IN ('public', 'unlisted'));
