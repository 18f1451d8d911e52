-- What must still be done about calls that are over, and what comes of it. Both stand beside the record of
-- a call, which does not change once it is ended.

-- Work that is done later, at least once, by whichever server has leased it.
CREATE TABLE outbox (
    id              INTEGER NOT NULL PRIMARY KEY,
    company         TEXT    NOT NULL CHECK (length(company) > 0),
    -- Nothing: it is about no single call.
    call_sid        TEXT,
    kind            TEXT    NOT NULL CHECK (kind IN ('summary')),
    -- The same work is queued once.
    key             TEXT    NOT NULL CHECK (length(key) > 0),
    -- Names of things, never anybody's words.
    payload         TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
    -- How often it was leased. Whoever has an earlier lease does nothing more for it.
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    not_before_us   INTEGER NOT NULL CHECK (not_before_us >= 0),
    leased_by       TEXT    CHECK (length(leased_by) > 0),
    leased_until_us INTEGER,
    -- When it came to its end, and in which word, where it was not done.
    ended_us        INTEGER CHECK (ended_us >= 0),
    failed          TEXT    CHECK (length(failed) > 0),
    UNIQUE (kind, key),
    CHECK ((leased_by IS NULL) = (leased_until_us IS NULL)),
    CHECK (failed IS NULL OR ended_us IS NOT NULL),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT;

CREATE INDEX outbox_due ON outbox (not_before_us) WHERE ended_us IS NULL;
CREATE INDEX outbox_by_call ON outbox (call_sid);

CREATE TRIGGER outbox_ends_once
BEFORE UPDATE ON outbox
WHEN OLD.ended_us IS NOT NULL OR NEW.id <> OLD.id OR NEW.company <> OLD.company
    OR NEW.call_sid IS NOT OLD.call_sid OR NEW.kind <> OLD.kind OR NEW.key <> OLD.key
    OR NEW.payload <> OLD.payload
BEGIN
    SELECT RAISE(ABORT, 'work ends once, and is not made another');
END;

-- A call in a few sentences, masked, or the word why there are none.
CREATE TABLE summary_text (
    call_sid TEXT    NOT NULL PRIMARY KEY,
    company  TEXT    NOT NULL,
    text     TEXT    CHECK (length(text) > 0),
    without  TEXT    CHECK (length(without) > 0),
    made_us  INTEGER NOT NULL CHECK (made_us >= 0),
    CHECK ((text IS NULL) <> (without IS NULL)),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER summary_text_stays
BEFORE UPDATE ON summary_text
BEGIN
    SELECT RAISE(ABORT, 'what was made of a call does not change');
END;

CREATE TRIGGER summary_text_is_kept
BEFORE DELETE ON summary_text
BEGIN
    SELECT RAISE(ABORT, 'a summary is kept for three years')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND (status = 'live'
        OR ended_us > (unixepoch() - 1096 * 86400) * 1000000));
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;
