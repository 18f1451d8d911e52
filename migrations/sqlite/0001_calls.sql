-- Calls and what was said in them. Times are microseconds since 1970-01-01 UTC, as 64-bit whole
-- numbers, because they sort and subtract the same in every database. Numbers and words arrive
-- masked: nothing here may hold a telephone number or an account in clear.

-- One row for each call: when it was, whose it was, how it ended.
CREATE TABLE call (
    sid             TEXT    NOT NULL PRIMARY KEY,
    company         TEXT    NOT NULL,
    config_version  INTEGER NOT NULL CHECK (config_version > 0),
    -- First 16 hexadecimal digits of the prompt's SHA-256.
    prompt_hash     TEXT    NOT NULL,
    -- The language the call began in.
    language        TEXT    NOT NULL CHECK (language IN ('en', 'es')),
    direction       TEXT    NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_masked     TEXT    NOT NULL CHECK (from_masked LIKE '%*%'),
    to_masked       TEXT    NOT NULL CHECK (to_masked LIKE '%*%'),
    started_us      INTEGER NOT NULL CHECK (started_us >= 0),
    status          TEXT    NOT NULL DEFAULT 'live' CHECK (status IN ('live', 'ended')),
    ended_us        INTEGER,
    duration_ms     INTEGER CHECK (duration_ms >= 0),
    end_reason      TEXT    CHECK (length(end_reason) > 0),
    -- Version of the shapes in conversation_log.
    journal_version INTEGER NOT NULL,

    -- What a row of a call refers to: the call and, with it, its company.
    UNIQUE (sid, company),

    -- A call is over with all that belongs to an end, or it is not over at all.
    CHECK ((status = 'ended') = (ended_us IS NOT NULL)),
    CHECK ((status = 'ended') = (duration_ms IS NOT NULL)),
    CHECK ((status = 'ended') = (end_reason IS NOT NULL)),
    CHECK (ended_us IS NULL OR ended_us >= started_us)
) STRICT;

CREATE INDEX call_live ON call (started_us) WHERE status = 'live';
CREATE INDEX call_by_company ON call (company, started_us);

-- Whoever tries to end a call again, or to change how it ended, is stopped here.
CREATE TRIGGER call_ends_once
BEFORE UPDATE ON call
WHEN OLD.status = 'ended'
BEGIN
    SELECT RAISE(ABORT, 'an ended call does not change');
END;

-- The journal of a call, one step in a row.
CREATE TABLE conversation_log (
    call_sid TEXT    NOT NULL,
    company  TEXT    NOT NULL,
    seq      INTEGER NOT NULL CHECK (seq >= 0),
    at_ms    INTEGER NOT NULL CHECK (at_ms >= 0),
    step     TEXT    NOT NULL CHECK (json_valid(step)),
    PRIMARY KEY (call_sid, seq),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What was written stays as it was written.
CREATE TRIGGER conversation_log_stays
BEFORE UPDATE ON conversation_log
BEGIN
    SELECT RAISE(ABORT, 'a journal does not change');
END;
