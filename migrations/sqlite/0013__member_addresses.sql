-- Addresses a member signed in from lately: too many wrong passwords elsewhere do not keep the member out there.
CREATE TABLE member_addresses (
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    -- 24 bits of a keyed hash: some 256 IPv4 addresses share one, so a row does not say which.
    address      INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_addresses_by_age ON member_addresses (last_used_at);
