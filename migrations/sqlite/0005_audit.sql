-- How far the audit logs have come. The entries themselves lie in files: what was cut off there, or
-- written anew, is told from here.

-- One row for each publication. The logs are no company's own.
CREATE TABLE audit_head (
    -- The name of the log's folder.
    log          TEXT    NOT NULL,
    -- The number of its last entry then.
    seq          INTEGER NOT NULL CHECK (seq > 0),
    company      TEXT    NOT NULL CHECK (company = '*'),
    -- The file that the entry is in.
    day          TEXT    NOT NULL,
    -- The entry's SHA-256.
    hash         TEXT    NOT NULL CHECK (length(hash) = 64),
    published_us INTEGER NOT NULL CHECK (published_us >= 0),
    PRIMARY KEY (log, seq, hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_head_stays
BEFORE UPDATE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'a published head does not change');
END;

CREATE TRIGGER audit_head_remains
BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'a published head does not go');
END;
