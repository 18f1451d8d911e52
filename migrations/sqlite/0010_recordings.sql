-- When a recording began, and that one was deleted because its time was over: who looks for it later is to
-- be told that, and not that there never was one.

-- By the carrier's word. In microseconds since 1970-01-01 UTC.
ALTER TABLE recording ADD COLUMN started_us INTEGER CHECK (started_us >= 0);

CREATE TABLE recording_deleted (
    recording_sid TEXT    NOT NULL PRIMARY KEY,
    call_sid      TEXT    NOT NULL,
    company       TEXT    NOT NULL,
    at_us         INTEGER NOT NULL CHECK (at_us >= 0),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
) STRICT;

CREATE INDEX recording_deleted_by_call ON recording_deleted (call_sid);

CREATE TRIGGER recording_deleted_stays
BEFORE UPDATE ON recording_deleted
BEGIN
    SELECT RAISE(ABORT, 'what was deleted when does not change');
END;

-- It goes with its call, which is gone here then.
CREATE TRIGGER recording_deleted_is_kept
BEFORE DELETE ON recording_deleted
BEGIN
    SELECT RAISE(ABORT, 'what was deleted when is kept')
    WHERE EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid);
END;
