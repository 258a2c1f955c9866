-- Whether a post goes to anybody elsewhere, whoever else follows its author.
CREATE INDEX follows_from_elsewhere ON follows (target_id) WHERE NOT by_member;
