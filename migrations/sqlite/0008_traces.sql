-- What was done to data that is kept leaves a trace, and what stood in the way of deleting it goes.

-- Acts of operators, and deletions, on their way into an audit log. Each is written in the transaction
-- that does what it tells of, by whichever process that is; a server writes it into its own log, and only
-- then the row goes.
CREATE TABLE audit_note (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- `*` is said of what is no company's own.
    company        TEXT    NOT NULL CHECK (length(company) > 0),
    call_sid       TEXT,
    kind           TEXT    NOT NULL CHECK (kind IN ('operator', 'deleted', 'recording_heard')),
    -- Names of things and how many they were, nothing of a caller.
    body           TEXT    NOT NULL CHECK (json_valid(body)),
    at_us          INTEGER NOT NULL CHECK (at_us >= 0),
    -- The server that writes it into its log now.
    taken_by       TEXT    CHECK (length(taken_by) > 0),
    taken_until_us INTEGER,
    CHECK ((taken_by IS NULL) = (taken_until_us IS NULL))
) STRICT;

CREATE TRIGGER audit_note_stays
BEFORE UPDATE ON audit_note
WHEN NEW.id <> OLD.id OR NEW.company <> OLD.company OR NEW.call_sid IS NOT OLD.call_sid
    OR NEW.kind <> OLD.kind OR NEW.body <> OLD.body OR NEW.at_us <> OLD.at_us
BEGIN
    SELECT RAISE(ABORT, 'what was done does not change');
END;

CREATE TRIGGER audit_note_waits
BEFORE DELETE ON audit_note
WHEN OLD.taken_by IS NULL
BEGIN
    SELECT RAISE(ABORT, 'what was done stands in no audit log yet');
END;

-- Holds leave their notes by themselves: whoever releases one lets evidence go, and may not use our
-- commands for it. The reason is left out, because it is anybody's words.
CREATE TRIGGER legal_hold_is_noted
AFTER INSERT ON legal_hold
BEGIN
    INSERT INTO audit_note (company, call_sid, kind, body, at_us) VALUES (
        NEW.company, NEW.call_sid, 'operator',
        json_object('operator', NEW.placed_by, 'wants', 'hold_place', 'done', json('true'), 'hold', NEW.id),
        unixepoch() * 1000000
    );
END;

CREATE TRIGGER legal_hold_release_is_noted
AFTER UPDATE ON legal_hold
BEGIN
    INSERT INTO audit_note (company, call_sid, kind, body, at_us) VALUES (
        NEW.company, NEW.call_sid, 'operator',
        json_object(
            'operator', NEW.released_by, 'wants', 'hold_release', 'done', json('true'), 'hold', NEW.id
        ),
        unixepoch() * 1000000
    );
END;

-- So does another version's becoming active, unless a server starts with it.
CREATE TRIGGER company_activation_is_noted
AFTER INSERT ON company_activation
WHEN NEW.command <> 'start'
BEGIN
    INSERT INTO audit_note (company, kind, body, at_us) VALUES (
        NEW.company, 'operator',
        json_object(
            'operator', NEW.actor, 'wants', 'company_' || NEW.command, 'done', json('true'),
            'version', NEW.version
        ),
        unixepoch() * 1000000
    );
END;

-- What was removed of the audit logs because its time was over: a row for each file.
CREATE TABLE audit_cut (
    -- The name of the log's folder.
    log     TEXT    NOT NULL,
    -- The number of the last entry that went.
    seq     INTEGER NOT NULL CHECK (seq > 0),
    company TEXT    NOT NULL CHECK (company = '*'),
    -- The file that it was in.
    day     TEXT    NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    -- The entry's SHA-256: what the first entry that stays names as the one before it.
    hash    TEXT    NOT NULL CHECK (length(hash) = 64),
    cut_us  INTEGER NOT NULL CHECK (cut_us >= 0),
    PRIMARY KEY (log, seq, hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_cut_has_its_time
BEFORE INSERT ON audit_cut
WHEN NEW.day >= date('now', '-1096 days')
BEGIN
    SELECT RAISE(ABORT, 'the audit log is kept for three years');
END;

CREATE TRIGGER audit_cut_stays
BEFORE UPDATE ON audit_cut
BEGIN
    SELECT RAISE(ABORT, 'what was removed of a log does not change');
END;

CREATE TRIGGER audit_cut_remains
BEFORE DELETE ON audit_cut
BEGIN
    SELECT RAISE(ABORT, 'what was removed of a log is kept');
END;

-- Sound that the carrier does not delete is asked for again later, behind all that was not asked for yet.
ALTER TABLE media_deletion ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0);
ALTER TABLE media_deletion ADD COLUMN not_before_us INTEGER NOT NULL DEFAULT 0;

CREATE INDEX media_deletion_due ON media_deletion (not_before_us, since_us);

-- When the carrier told of a recording last: how old it is, where its call has no record.
ALTER TABLE recording ADD COLUMN known_us INTEGER CHECK (known_us >= 0);

DROP TRIGGER recording_ends_once;

-- How old those are that are there, nobody knows: from now on they count.
UPDATE recording SET known_us = unixepoch() * 1000000;

CREATE TRIGGER recording_ends_once
BEFORE UPDATE ON recording
WHEN OLD.status <> 'in-progress' OR NEW.call_sid <> OLD.call_sid OR NEW.company <> OLD.company
BEGIN
    SELECT RAISE(ABORT, 'a recording that is over does not change');
END;

CREATE INDEX recording_by_age ON recording (known_us);

DROP TRIGGER recording_is_kept;

CREATE TRIGGER recording_is_kept
BEFORE DELETE ON recording
BEGIN
    SELECT RAISE(ABORT, 'a recording is kept for three years')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND (status = 'live'
        OR ended_us > (unixepoch() - 1096 * 86400) * 1000000));
    SELECT RAISE(ABORT, 'a recording is kept for three years')
    WHERE NOT EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid)
        AND (OLD.known_us IS NULL OR OLD.known_us > (unixepoch() - 1096 * 86400) * 1000000);
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;

-- A caller's number has no floor, but its call is to be over.
DROP TRIGGER caller_is_kept;

CREATE TRIGGER caller_is_kept
BEFORE DELETE ON caller
BEGIN
    SELECT RAISE(ABORT, 'a call goes on')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND status = 'live');
    SELECT RAISE(ABORT, 'a call is held')
    WHERE EXISTS (SELECT 1 FROM legal_hold WHERE company = OLD.company AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = OLD.call_sid));
END;
