-- Addresses a member signed in from lately: too many wrong passwords elsewhere do not keep the member out there.
CREATE TABLE member_addresses (
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    -- 24 bits of a keyed hash: some 256 IPv4 addresses share one, so a row does not say which.
    address      BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, address)
);
CREATE INDEX member_addresses_by_age ON member_addresses (last_used_at);
