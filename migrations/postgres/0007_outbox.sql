-- What must still be done about calls that are over, and what comes of it. Both stand beside the record of
-- a call, which does not change once it is ended.

-- Work that is done later, at least once, by whichever server has leased it.
CREATE TABLE outbox (
    id              BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company         TEXT   NOT NULL CHECK (length(company) > 0),
    -- Nothing: it is about no single call.
    call_sid        TEXT,
    kind            TEXT   NOT NULL CHECK (kind IN ('summary')),
    -- The same work is queued once.
    key             TEXT   NOT NULL CHECK (length(key) > 0),
    -- Names of things, never anybody's words.
    payload         TEXT   NOT NULL DEFAULT '{}' CHECK (payload::json IS NOT NULL),
    -- How often it was leased. Whoever has an earlier lease does nothing more for it.
    attempts        BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    not_before_us   BIGINT NOT NULL CHECK (not_before_us >= 0),
    leased_by       TEXT   CHECK (length(leased_by) > 0),
    leased_until_us BIGINT,
    -- When it came to its end, and in which word, where it was not done.
    ended_us        BIGINT CHECK (ended_us >= 0),
    failed          TEXT   CHECK (length(failed) > 0),
    UNIQUE (kind, key),
    CHECK ((leased_by IS NULL) = (leased_until_us IS NULL)),
    CHECK (failed IS NULL OR ended_us IS NOT NULL),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE INDEX outbox_due ON outbox (not_before_us) WHERE ended_us IS NULL;
CREATE INDEX outbox_by_call ON outbox (call_sid);

CREATE TRIGGER outbox_ends_once
BEFORE UPDATE ON outbox
FOR EACH ROW WHEN (
    OLD.ended_us IS NOT NULL OR NEW.id <> OLD.id OR NEW.company <> OLD.company
    OR NEW.call_sid IS DISTINCT FROM OLD.call_sid OR NEW.kind <> OLD.kind OR NEW.key <> OLD.key
    OR NEW.payload <> OLD.payload
)
EXECUTE FUNCTION refuse_change('work ends once, and is not made another');

-- A call in a few sentences, masked, or the word why there are none.
CREATE TABLE summary_text (
    call_sid TEXT   NOT NULL PRIMARY KEY,
    company  TEXT   NOT NULL,
    text     TEXT   CHECK (length(text) > 0),
    without  TEXT   CHECK (length(without) > 0),
    made_us  BIGINT NOT NULL CHECK (made_us >= 0),
    CHECK ((text IS NULL) <> (without IS NULL)),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE TRIGGER summary_text_stays
BEFORE UPDATE ON summary_text
FOR EACH ROW EXECUTE FUNCTION refuse_change('what was made of a call does not change');

CREATE TRIGGER summary_text_is_kept
BEFORE DELETE ON summary_text
FOR EACH ROW EXECUTE FUNCTION keep_words();

-- As for calls: a transaction sees the rows of the company that it says, or with `*` all of them.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON outbox USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE summary_text ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON summary_text USING (
    current_setting('offhook.company', true) IN (company, '*')
);
