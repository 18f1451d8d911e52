-- How far the audit logs have come. The entries themselves lie in files: what was cut off there, or
-- written anew, is told from here.

-- One row for each publication. The logs are no company's own.
CREATE TABLE audit_head (
    -- The name of the log's folder.
    log          TEXT   NOT NULL,
    -- The number of its last entry then.
    seq          BIGINT NOT NULL CHECK (seq > 0),
    company      TEXT   NOT NULL CHECK (company = '*'),
    -- The file that the entry is in.
    day          TEXT   NOT NULL,
    -- The entry's SHA-256.
    hash         TEXT   NOT NULL CHECK (length(hash) = 64),
    published_us BIGINT NOT NULL CHECK (published_us >= 0),
    PRIMARY KEY (log, seq, hash)
);

CREATE TRIGGER audit_head_stays
BEFORE UPDATE OR DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION refuse_change('a published head does not change');

ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON audit_head USING (
    current_setting('offhook.company', true) IN (company, '*')
);
