-- Who has a call, and what remains of it beside its journal.

-- The processes that take calls. They are of no company.
CREATE TABLE stream_server (
    instance   TEXT    NOT NULL PRIMARY KEY,
    company    TEXT    NOT NULL DEFAULT '*' CHECK (company = '*'),
    -- Where it takes streams.
    stream_url TEXT    NOT NULL,
    started_us INTEGER NOT NULL,
    -- When it said last that it lives.
    seen_us    INTEGER NOT NULL CHECK (seen_us >= started_us)
) STRICT;

-- A call is one process's at a time. Whoever takes it over does so under the next epoch, and from then
-- on nothing is written for it under an earlier one.
ALTER TABLE call ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1 CHECK (epoch >= 1);
-- The process that has the call, or had it; unknown in rows from before there were epochs.
ALTER TABLE call ADD COLUMN owner TEXT;
-- The epoch that a step was written under.
ALTER TABLE conversation_log ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1 CHECK (epoch >= 1);

CREATE TRIGGER call_epoch_grows
BEFORE UPDATE ON call
WHEN NEW.epoch < OLD.epoch OR (NEW.owner IS NOT OLD.owner AND NEW.epoch = OLD.epoch)
BEGIN
    SELECT RAISE(ABORT, 'a call changes hands under a new epoch');
END;

-- The calls of a company, or of all of them, the newest first.
DROP INDEX call_by_company;
CREATE INDEX call_by_company ON call (company, started_us, sid);
CREATE INDEX call_by_start ON call (started_us, sid);
-- Rare ends among many calls.
CREATE INDEX call_by_reason ON call (end_reason, started_us, sid);

-- One row for each call that has a journal, made from it.
CREATE TABLE summary (
    call_sid TEXT    NOT NULL PRIMARY KEY,
    company  TEXT    NOT NULL,
    epoch    INTEGER NOT NULL CHECK (epoch >= 1),
    -- The most that came of the call, in a word.
    outcome  TEXT    NOT NULL,
    -- How large its journal is: steps, and bytes of their JSON.
    steps    INTEGER NOT NULL CHECK (steps > 0),
    bytes    INTEGER NOT NULL CHECK (bytes > 0),
    -- All of the summary, as JSON.
    summary  TEXT    NOT NULL CHECK (json_valid(summary)),
    -- What the caller said and heard, masked, in small letters without accents.
    said     TEXT    NOT NULL,
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER summary_stays
BEFORE UPDATE ON summary
BEGIN
    SELECT RAISE(ABORT, 'a summary does not change');
END;
