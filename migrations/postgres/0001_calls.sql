-- Calls and what was said in them: the same tables as in migrations/sqlite, in PostgreSQL's words.
-- Times are microseconds since 1970-01-01 UTC, as 64-bit whole numbers, because they sort and
-- subtract the same in every database. Numbers and words arrive masked: nothing here may hold a
-- telephone number or an account in clear.

-- One row for each call: when it was, whose it was, how it ended.
CREATE TABLE call (
    sid             TEXT   NOT NULL PRIMARY KEY,
    company         TEXT   NOT NULL,
    config_version  BIGINT NOT NULL CHECK (config_version > 0),
    -- First 16 hexadecimal digits of the prompt's SHA-256.
    prompt_hash     TEXT   NOT NULL,
    -- The language the call began in.
    language        TEXT   NOT NULL CHECK (language IN ('en', 'es')),
    direction       TEXT   NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_masked     TEXT   NOT NULL CHECK (from_masked LIKE '%*%'),
    to_masked       TEXT   NOT NULL CHECK (to_masked LIKE '%*%'),
    started_us      BIGINT NOT NULL CHECK (started_us >= 0),
    status          TEXT   NOT NULL DEFAULT 'live' CHECK (status IN ('live', 'ended')),
    ended_us        BIGINT,
    duration_ms     BIGINT CHECK (duration_ms >= 0),
    end_reason      TEXT   CHECK (length(end_reason) > 0),
    -- Version of the shapes in conversation_log.
    journal_version BIGINT NOT NULL,

    -- What a row of a call refers to: the call and, with it, its company.
    UNIQUE (sid, company),

    -- A call is over with all that belongs to an end, or it is not over at all.
    CHECK ((status = 'ended') = (ended_us IS NOT NULL)),
    CHECK ((status = 'ended') = (duration_ms IS NOT NULL)),
    CHECK ((status = 'ended') = (end_reason IS NOT NULL)),
    CHECK (ended_us IS NULL OR ended_us >= started_us)
);

CREATE INDEX call_live ON call (started_us) WHERE status = 'live';
CREATE INDEX call_by_company ON call (company, started_us);

-- Whoever tries to end a call again, or to change how it ended, is stopped here.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER call_ends_once
BEFORE UPDATE ON call
FOR EACH ROW WHEN (OLD.status = 'ended')
EXECUTE FUNCTION refuse_change('an ended call does not change');

-- The journal of a call, one step in a row. It is text, not jsonb: a journal is replayed byte by
-- byte, and jsonb would order its fields anew.
CREATE TABLE conversation_log (
    call_sid TEXT   NOT NULL,
    company  TEXT   NOT NULL,
    seq      BIGINT NOT NULL CHECK (seq >= 0),
    at_ms    BIGINT NOT NULL CHECK (at_ms >= 0),
    step     TEXT   NOT NULL CHECK (step::json IS NOT NULL),
    PRIMARY KEY (call_sid, seq),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

-- What was written stays as it was written.
CREATE TRIGGER conversation_log_stays
BEFORE UPDATE ON conversation_log
FOR EACH ROW EXECUTE FUNCTION refuse_change('a journal does not change');

-- A transaction says for which company it works, and sees no other's rows, whatever its statements
-- forget; `*` is said by what is no company's own, such as the look for calls without an end. A
-- transaction that says nothing sees nothing. The server's role owns no table, so it cannot get
-- around this; `server migrate` grants it what it needs.
ALTER TABLE call ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON call USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE conversation_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON conversation_log USING (
    current_setting('offhook.company', true) IN (company, '*')
);
