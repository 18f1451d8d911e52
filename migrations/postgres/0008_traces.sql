-- What was done to data that is kept leaves a trace, and what stood in the way of deleting it goes. The
-- same tables as in migrations/sqlite.

-- Acts of operators, and deletions, on their way into an audit log. Each is written in the transaction
-- that does what it tells of, by whichever process that is; a server writes it into its own log, and only
-- then the row goes.
CREATE TABLE audit_note (
    id             BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `*` is said of what is no company's own.
    company        TEXT   NOT NULL CHECK (length(company) > 0),
    call_sid       TEXT,
    kind           TEXT   NOT NULL CHECK (kind IN ('operator', 'deleted', 'recording_heard')),
    -- Names of things and how many they were, nothing of a caller.
    body           TEXT   NOT NULL CHECK (body::json IS NOT NULL),
    at_us          BIGINT NOT NULL CHECK (at_us >= 0),
    -- The server that writes it into its log now.
    taken_by       TEXT   CHECK (length(taken_by) > 0),
    taken_until_us BIGINT,
    CHECK ((taken_by IS NULL) = (taken_until_us IS NULL))
);

CREATE TRIGGER audit_note_stays
BEFORE UPDATE ON audit_note
FOR EACH ROW WHEN (
    NEW.id <> OLD.id OR NEW.company <> OLD.company OR NEW.call_sid IS DISTINCT FROM OLD.call_sid
    OR NEW.kind <> OLD.kind OR NEW.body <> OLD.body OR NEW.at_us <> OLD.at_us
)
EXECUTE FUNCTION refuse_change('what was done does not change');

CREATE TRIGGER audit_note_waits
BEFORE DELETE ON audit_note
FOR EACH ROW WHEN (OLD.taken_by IS NULL)
EXECUTE FUNCTION refuse_change('what was done stands in no audit log yet');

-- Holds leave their notes by themselves: whoever releases one lets evidence go, and may not use our
-- commands for it. The reason is left out, because it is anybody's words.
CREATE FUNCTION note_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_note (company, call_sid, kind, body, at_us) VALUES (
        NEW.company, NEW.call_sid, 'operator',
        json_build_object(
            'operator', COALESCE(NEW.released_by, NEW.placed_by),
            'wants', CASE WHEN NEW.released_by IS NULL THEN 'hold_place' ELSE 'hold_release' END,
            'done', true,
            'hold', NEW.id
        )::text,
        extract(epoch FROM clock_timestamp())::BIGINT * 1000000
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER legal_hold_is_noted
AFTER INSERT OR UPDATE ON legal_hold
FOR EACH ROW EXECUTE FUNCTION note_hold();

-- So does another version's becoming active, unless a server starts with it.
CREATE FUNCTION note_activation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_note (company, kind, body, at_us) VALUES (
        NEW.company, 'operator',
        json_build_object(
            'operator', NEW.actor, 'wants', 'company_' || NEW.command, 'done', true,
            'version', NEW.version
        )::text,
        extract(epoch FROM clock_timestamp())::BIGINT * 1000000
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER company_activation_is_noted
AFTER INSERT ON company_activation
FOR EACH ROW WHEN (NEW.command <> 'start')
EXECUTE FUNCTION note_activation();

-- What was removed of the audit logs because its time was over: a row for each file.
CREATE TABLE audit_cut (
    -- The name of the log's folder.
    log     TEXT   NOT NULL,
    -- The number of the last entry that went.
    seq     BIGINT NOT NULL CHECK (seq > 0),
    company TEXT   NOT NULL CHECK (company = '*'),
    -- The file that it was in.
    day     TEXT   NOT NULL CHECK (day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
    -- The entry's SHA-256: what the first entry that stays names as the one before it.
    hash    TEXT   NOT NULL CHECK (length(hash) = 64),
    cut_us  BIGINT NOT NULL CHECK (cut_us >= 0),
    PRIMARY KEY (log, seq, hash)
);

CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.day >= to_char((clock_timestamp() AT TIME ZONE 'UTC')::date - 1096, 'YYYY-MM-DD') THEN
        RAISE EXCEPTION 'the audit log is kept for three years'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_cut_has_its_time
BEFORE INSERT ON audit_cut
FOR EACH ROW EXECUTE FUNCTION keep_audit();

CREATE TRIGGER audit_cut_stays
BEFORE UPDATE OR DELETE ON audit_cut
FOR EACH ROW EXECUTE FUNCTION refuse_change('what was removed of a log is kept as it is');

-- Sound that the carrier does not delete is asked for again later, behind all that was not asked for yet.
ALTER TABLE media_deletion ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0);
ALTER TABLE media_deletion ADD COLUMN not_before_us BIGINT NOT NULL DEFAULT 0;

CREATE INDEX media_deletion_due ON media_deletion (not_before_us, since_us);

-- When the carrier told of a recording last: how old it is, where its call has no record.
ALTER TABLE recording ADD COLUMN known_us BIGINT CHECK (known_us >= 0);

DROP TRIGGER recording_ends_once ON recording;

-- How old those are that are there, nobody knows: from now on they count. The owner of the tables is
-- bound by no policy here.
UPDATE recording SET known_us = extract(epoch FROM clock_timestamp())::BIGINT * 1000000;

CREATE TRIGGER recording_ends_once
BEFORE UPDATE ON recording
FOR EACH ROW WHEN (
    OLD.status <> 'in-progress' OR NEW.call_sid <> OLD.call_sid OR NEW.company <> OLD.company
)
EXECUTE FUNCTION refuse_change('a recording that is over does not change');

CREATE INDEX recording_by_age ON recording (known_us);

CREATE OR REPLACE FUNCTION keep_recording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid
            AND (status = 'live' OR ended_us > retention_floor_us()))
        OR (OLD.known_us IS NULL OR OLD.known_us > retention_floor_us())
            AND NOT EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid) THEN
        RAISE EXCEPTION 'a recording is kept for three years'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM refuse_if_held(OLD.company, OLD.call_sid);
    RETURN OLD;
END
$$;

-- A caller's number has no floor, but its call is to be over.
CREATE FUNCTION keep_caller() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND status = 'live') THEN
        RAISE EXCEPTION 'a call goes on' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM refuse_if_held(OLD.company, OLD.call_sid);
    RETURN OLD;
END
$$;

DROP TRIGGER caller_is_kept ON caller;
CREATE TRIGGER caller_is_kept
BEFORE DELETE ON caller
FOR EACH ROW EXECUTE FUNCTION keep_caller();

-- To empty a table asks no row. So it is refused whole where no row, or not every one, may go.
CREATE TRIGGER call_is_not_emptied BEFORE TRUNCATE ON call
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('calls are kept');
CREATE TRIGGER conversation_log_is_not_emptied BEFORE TRUNCATE ON conversation_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('journals are kept');
CREATE TRIGGER summary_is_not_emptied BEFORE TRUNCATE ON summary
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('summaries are kept');
CREATE TRIGGER summary_text_is_not_emptied BEFORE TRUNCATE ON summary_text
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('summaries are kept');
CREATE TRIGGER recording_is_not_emptied BEFORE TRUNCATE ON recording
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('recordings are kept');
CREATE TRIGGER caller_is_not_emptied BEFORE TRUNCATE ON caller
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('numbers are kept');
CREATE TRIGGER media_deletion_is_not_emptied BEFORE TRUNCATE ON media_deletion
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what is to be deleted stays listed');
CREATE TRIGGER legal_hold_is_not_emptied BEFORE TRUNCATE ON legal_hold
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a hold is kept');
CREATE TRIGGER deletion_is_not_emptied BEFORE TRUNCATE ON deletion
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was deleted when is kept');
CREATE TRIGGER audit_head_is_not_emptied BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a published head is kept');
CREATE TRIGGER audit_note_is_not_emptied BEFORE TRUNCATE ON audit_note
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was done stands in no audit log yet');
CREATE TRIGGER audit_cut_is_not_emptied BEFORE TRUNCATE ON audit_cut
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was removed of a log is kept');

-- As for calls: a transaction sees the rows of the company that it says, or with `*` all of them.
ALTER TABLE audit_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON audit_note USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE audit_cut ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON audit_cut USING (
    current_setting('offhook.company', true) IN (company, '*')
);
