-- Who has a call, and what remains of it beside its journal.

-- The processes that take calls. They are of no company.
CREATE TABLE stream_server (
    instance   TEXT   NOT NULL PRIMARY KEY,
    company    TEXT   NOT NULL DEFAULT '*' CHECK (company = '*'),
    -- Where it takes streams.
    stream_url TEXT   NOT NULL,
    started_us BIGINT NOT NULL,
    -- When it said last that it lives.
    seen_us    BIGINT NOT NULL CHECK (seen_us >= started_us)
);

-- A call is one process's at a time. Whoever takes it over does so under the next epoch, and from then
-- on nothing is written for it under an earlier one.
ALTER TABLE call ADD COLUMN epoch BIGINT NOT NULL DEFAULT 1 CHECK (epoch >= 1);
-- The process that has the call, or had it; unknown in rows from before there were epochs.
ALTER TABLE call ADD COLUMN owner TEXT;
-- The epoch that a step was written under.
ALTER TABLE conversation_log ADD COLUMN epoch BIGINT NOT NULL DEFAULT 1 CHECK (epoch >= 1);

CREATE TRIGGER call_epoch_grows
BEFORE UPDATE ON call
FOR EACH ROW WHEN (
    NEW.epoch < OLD.epoch OR (NEW.owner IS DISTINCT FROM OLD.owner AND NEW.epoch = OLD.epoch)
)
EXECUTE FUNCTION refuse_change('a call changes hands under a new epoch');

-- The calls of a company, or of all of them, the newest first.
DROP INDEX call_by_company;
CREATE INDEX call_by_company ON call (company, started_us, sid);
CREATE INDEX call_by_start ON call (started_us, sid);
-- Rare ends among many calls.
CREATE INDEX call_by_reason ON call (end_reason, started_us, sid);

-- One row for each call that has a journal, made from it.
CREATE TABLE summary (
    call_sid TEXT   NOT NULL PRIMARY KEY,
    company  TEXT   NOT NULL,
    epoch    BIGINT NOT NULL CHECK (epoch >= 1),
    -- The most that came of the call, in a word.
    outcome  TEXT   NOT NULL,
    -- How large its journal is: steps, and bytes of their JSON.
    steps    BIGINT NOT NULL CHECK (steps > 0),
    bytes    BIGINT NOT NULL CHECK (bytes > 0),
    -- All of the summary, as JSON.
    summary  TEXT   NOT NULL CHECK (summary::json IS NOT NULL),
    -- What the caller said and heard, masked, in small letters without accents.
    said     TEXT   NOT NULL,
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE TRIGGER summary_stays
BEFORE UPDATE ON summary
FOR EACH ROW EXECUTE FUNCTION refuse_change('a summary does not change');

ALTER TABLE summary ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON summary USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE stream_server ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON stream_server USING (
    current_setting('offhook.company', true) IN (company, '*')
);
