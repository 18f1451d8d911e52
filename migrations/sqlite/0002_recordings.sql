-- What the carrier tells of recordings of calls. The sound stays at the carrier.

-- One row for each recording. Its call may have no row yet: a callback waits for nobody.
CREATE TABLE recording (
    sid        TEXT    NOT NULL PRIMARY KEY,
    call_sid   TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('in-progress', 'completed', 'absent')),
    seconds    INTEGER CHECK (seconds >= 0),
    -- Where the sound lies, below the carrier's REST interface.
    media_path TEXT    CHECK (media_path LIKE '/%'),

    -- Only what is complete has sound.
    CHECK (status = 'completed' OR (seconds IS NULL AND media_path IS NULL))
) STRICT;

CREATE INDEX recording_by_call ON recording (call_sid);

CREATE TRIGGER recording_ends_once
BEFORE UPDATE ON recording
WHEN OLD.status <> 'in-progress' OR NEW.call_sid <> OLD.call_sid
BEGIN
    SELECT RAISE(ABORT, 'a recording that is over does not change');
END;
