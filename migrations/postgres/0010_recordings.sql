-- When a recording began, and that one was deleted because its time was over: who looks for it later is to
-- be told that, and not that there never was one. The same tables as in migrations/sqlite.

-- By the carrier's word. In microseconds since 1970-01-01 UTC.
ALTER TABLE recording ADD COLUMN started_us BIGINT CHECK (started_us >= 0);

CREATE TABLE recording_deleted (
    recording_sid TEXT   NOT NULL PRIMARY KEY,
    call_sid      TEXT   NOT NULL,
    company       TEXT   NOT NULL,
    at_us         BIGINT NOT NULL CHECK (at_us >= 0),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE INDEX recording_deleted_by_call ON recording_deleted (call_sid);

CREATE TRIGGER recording_deleted_stays
BEFORE UPDATE ON recording_deleted
FOR EACH ROW EXECUTE FUNCTION refuse_change('what was deleted when does not change');

-- It goes with its call, which is gone here then.
CREATE FUNCTION keep_with_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid) THEN
        RAISE EXCEPTION 'what was deleted when is kept'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER recording_deleted_is_kept
BEFORE DELETE ON recording_deleted
FOR EACH ROW EXECUTE FUNCTION keep_with_call();

ALTER TABLE recording_deleted ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON recording_deleted USING (
    current_setting('offhook.company', true) IN (company, '*')
);
