-- What identifies a caller, sealed; what must be kept for a dispute; and what was deleted when its time
-- was over. Nothing is deleted before its floor, and nothing that is held: the triggers here refuse it,
-- whoever asks.

-- The caller's number of a call. It is no column of `call`, because an ended call does not change, and
-- this is sealed anew when keys are replaced.
CREATE TABLE caller (
    call_sid     TEXT NOT NULL PRIMARY KEY,
    company      TEXT NOT NULL,
    -- The name of the key that sealed it.
    key_id       TEXT NOT NULL CHECK (length(key_id) > 0),
    -- Nonce and ciphertext, in hexadecimal.
    sealed       TEXT NOT NULL CHECK (length(sealed) > 80 AND sealed NOT GLOB '*[^0-9a-f]*'),
    -- What calls of the same caller have in common, in hexadecimal. Nobody makes it without the key.
    number_index TEXT NOT NULL CHECK (length(number_index) = 32),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT;

CREATE INDEX caller_by_number ON caller (number_index);

CREATE TRIGGER caller_stays_at_its_call
BEFORE UPDATE ON caller
WHEN NEW.call_sid <> OLD.call_sid OR NEW.company <> OLD.company
BEGIN
    SELECT RAISE(ABORT, 'a caller is not moved to another call');
END;

-- What must be kept although its time is over: a call, or all calls of a company.
CREATE TABLE legal_hold (
    id          INTEGER NOT NULL PRIMARY KEY,
    company     TEXT    NOT NULL CHECK (length(company) > 0),
    -- Nothing: all calls of the company.
    call_sid    TEXT,
    -- Which matter it is for: the name of a case, and nothing of a person.
    reason      TEXT    NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    placed_us   INTEGER NOT NULL CHECK (placed_us >= 0),
    placed_by   TEXT    NOT NULL CHECK (length(placed_by) > 0),
    released_us INTEGER CHECK (released_us >= 0),
    released_by TEXT    CHECK (length(released_by) > 0),
    CHECK ((released_us IS NULL) = (released_by IS NULL))
) STRICT;

CREATE INDEX legal_hold_that_holds ON legal_hold (company, call_sid) WHERE released_us IS NULL;

CREATE TRIGGER legal_hold_is_released_once
BEFORE UPDATE ON legal_hold
WHEN OLD.released_us IS NOT NULL OR NEW.released_us IS NULL OR NEW.id <> OLD.id
    OR NEW.company <> OLD.company OR NEW.call_sid IS NOT OLD.call_sid OR NEW.reason <> OLD.reason
    OR NEW.placed_us <> OLD.placed_us OR NEW.placed_by <> OLD.placed_by
BEGIN
    SELECT RAISE(ABORT, 'a hold is released once, and does not change otherwise');
END;

CREATE TRIGGER legal_hold_is_kept
BEFORE DELETE ON legal_hold
BEGIN
    SELECT RAISE(ABORT, 'a hold is kept');
END;

-- Sound at the carrier that is to be deleted there: the record of it is gone already.
CREATE TABLE media_deletion (
    recording_sid TEXT    NOT NULL PRIMARY KEY,
    call_sid      TEXT    NOT NULL,
    company       TEXT    NOT NULL,
    since_us      INTEGER NOT NULL CHECK (since_us >= 0)
) STRICT;

-- How much was deleted because its time was over. Never what it was.
CREATE TABLE deletion (
    id       INTEGER NOT NULL PRIMARY KEY,
    company  TEXT    NOT NULL,
    class    TEXT    NOT NULL CHECK (class IN ('call', 'journal', 'recording', 'caller', 'media')),
    how_many INTEGER NOT NULL CHECK (how_many > 0),
    -- Of calls that ended before this time.
    until_us INTEGER NOT NULL,
    at_us    INTEGER NOT NULL CHECK (at_us >= 0)
) STRICT;

CREATE INDEX deletion_by_company ON deletion (company, at_us);

CREATE TRIGGER deletion_stays
BEFORE UPDATE ON deletion
BEGIN
    SELECT RAISE(ABORT, 'what was deleted when does not change');
END;

CREATE TRIGGER deletion_is_kept
BEFORE DELETE ON deletion
BEGIN
    SELECT RAISE(ABORT, 'what was deleted when is kept');
END;

-- Who deletes a company's rows now, and when that was done last.
CREATE TABLE sweep (
    company  TEXT    NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_us INTEGER NOT NULL,
    done_us  INTEGER
) STRICT;

-- The floor is 1096 days: three years (12 CFR 1006.100), of which one may have a day more.
CREATE TRIGGER call_is_kept
BEFORE DELETE ON call
BEGIN
    SELECT RAISE(ABORT, 'a call is kept for three years')
    WHERE OLD.status = 'live' OR OLD.ended_us > (unixepoch() - 1096 * 86400) * 1000000;
    SELECT RAISE(ABORT, 'a recording of the call is kept')
    WHERE EXISTS (SELECT 1 FROM recording WHERE call_sid = OLD.sid);
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.sid));
END;

-- What goes together with its call finds no call any more here; that was allowed above.
CREATE TRIGGER journal_is_kept
BEFORE DELETE ON conversation_log
BEGIN
    SELECT RAISE(ABORT, 'a journal is kept for three years')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND (status = 'live'
        OR ended_us > (unixepoch() - 1096 * 86400) * 1000000));
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;

CREATE TRIGGER summary_is_kept
BEFORE DELETE ON summary
BEGIN
    SELECT RAISE(ABORT, 'a summary is kept for three years')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND (status = 'live'
        OR ended_us > (unixepoch() - 1096 * 86400) * 1000000));
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;

-- A recording whose call has no row has no age, and stays.
CREATE TRIGGER recording_is_kept
BEFORE DELETE ON recording
BEGIN
    SELECT RAISE(ABORT, 'a recording is kept for three years')
    WHERE NOT EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND status = 'ended'
        AND ended_us <= (unixepoch() - 1096 * 86400) * 1000000);
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;

-- A caller's number has no floor.
CREATE TRIGGER caller_is_kept
BEFORE DELETE ON caller
BEGIN
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;

CREATE TRIGGER media_is_kept
BEFORE DELETE ON media_deletion
BEGIN
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;
