-- What remains of a call beside its journal, for those who look for calls.

-- The calls of a company, or of all of them, the newest first.
DROP INDEX call_by_company;
CREATE INDEX call_by_company ON call (company, started_us, sid);
CREATE INDEX call_by_start ON call (started_us, sid);

-- One row for each call that has a journal, made from it.
CREATE TABLE summary (
    call_sid TEXT NOT NULL PRIMARY KEY,
    company  TEXT NOT NULL,
    -- What the caller said and heard, masked, in small letters without accents.
    said     TEXT NOT NULL,
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE TRIGGER summary_stays
BEFORE UPDATE ON summary
FOR EACH ROW EXECUTE FUNCTION refuse_change('a summary does not change');

ALTER TABLE summary ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON summary USING (
    current_setting('offhook.company', true) IN (company, '*')
);
