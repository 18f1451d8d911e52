-- What identifies a caller, sealed; what must be kept for a dispute; and what was deleted when its time
-- was over. Nothing is deleted before its floor, and nothing that is held: the triggers here refuse it,
-- whoever asks. The same tables as in migrations/sqlite.

-- The caller's number of a call. It is no column of `call`, because an ended call does not change, and
-- this is sealed anew when keys are replaced.
CREATE TABLE caller (
    call_sid     TEXT NOT NULL PRIMARY KEY,
    company      TEXT NOT NULL,
    -- The name of the key that sealed it.
    key_id       TEXT NOT NULL CHECK (length(key_id) > 0),
    -- Nonce and ciphertext, in hexadecimal.
    sealed       TEXT NOT NULL CHECK (sealed ~ '^[0-9a-f]{81,}$'),
    -- What calls of the same caller have in common, in hexadecimal. Nobody makes it without the key.
    number_index TEXT NOT NULL CHECK (length(number_index) = 32),
    FOREIGN KEY (call_sid, company) REFERENCES call (sid, company) ON DELETE CASCADE
);

CREATE INDEX caller_by_number ON caller (number_index);

CREATE TRIGGER caller_stays_at_its_call
BEFORE UPDATE ON caller
FOR EACH ROW WHEN (NEW.call_sid <> OLD.call_sid OR NEW.company <> OLD.company)
EXECUTE FUNCTION refuse_change('a caller is not moved to another call');

-- What must be kept although its time is over: a call, or all calls of a company.
CREATE TABLE legal_hold (
    id          BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company     TEXT   NOT NULL CHECK (length(company) > 0),
    -- Nothing: all calls of the company.
    call_sid    TEXT,
    -- Which matter it is for: the name of a case, and nothing of a person.
    reason      TEXT   NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    placed_us   BIGINT NOT NULL CHECK (placed_us >= 0),
    placed_by   TEXT   NOT NULL CHECK (length(placed_by) > 0),
    released_us BIGINT CHECK (released_us >= 0),
    released_by TEXT   CHECK (length(released_by) > 0),
    CHECK ((released_us IS NULL) = (released_by IS NULL))
);

CREATE INDEX legal_hold_that_holds ON legal_hold (company, call_sid) WHERE released_us IS NULL;

CREATE TRIGGER legal_hold_is_released_once
BEFORE UPDATE ON legal_hold
FOR EACH ROW WHEN (
    OLD.released_us IS NOT NULL OR NEW.released_us IS NULL OR NEW.id <> OLD.id
    OR NEW.company <> OLD.company OR NEW.call_sid IS DISTINCT FROM OLD.call_sid
    OR NEW.reason <> OLD.reason OR NEW.placed_us <> OLD.placed_us OR NEW.placed_by <> OLD.placed_by
)
EXECUTE FUNCTION refuse_change('a hold is released once, and does not change otherwise');

CREATE TRIGGER legal_hold_is_kept
BEFORE DELETE ON legal_hold
FOR EACH ROW EXECUTE FUNCTION refuse_change('a hold is kept');

-- Sound at the carrier that is to be deleted there: the record of it is gone already.
CREATE TABLE media_deletion (
    recording_sid TEXT   NOT NULL PRIMARY KEY,
    call_sid      TEXT   NOT NULL,
    company       TEXT   NOT NULL,
    since_us      BIGINT NOT NULL CHECK (since_us >= 0)
);

-- How much was deleted because its time was over. Never what it was.
CREATE TABLE deletion (
    id       BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company  TEXT   NOT NULL,
    class    TEXT   NOT NULL CHECK (class IN ('call', 'journal', 'recording', 'caller', 'media')),
    how_many BIGINT NOT NULL CHECK (how_many > 0),
    -- Of calls that ended before this time.
    until_us BIGINT NOT NULL,
    at_us    BIGINT NOT NULL CHECK (at_us >= 0)
);

CREATE INDEX deletion_by_company ON deletion (company, at_us);

CREATE TRIGGER deletion_stays
BEFORE UPDATE OR DELETE ON deletion
FOR EACH ROW EXECUTE FUNCTION refuse_change('what was deleted when does not change');

-- Who deletes a company's rows now, and when that was done last.
CREATE TABLE sweep (
    company  TEXT   NOT NULL PRIMARY KEY,
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL,
    done_us  BIGINT
);

-- A hold that is being placed and a row that is being deleted wait for each other, or neither would see
-- the other: placing takes the company's lock alone, deleting shares it. Whoever waited looks again.
CREATE FUNCTION lock_to_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('offhook hold ' || NEW.company, 0));
    RETURN NEW;
END
$$;

CREATE TRIGGER legal_hold_waits
BEFORE INSERT ON legal_hold
FOR EACH ROW EXECUTE FUNCTION lock_to_hold();

CREATE FUNCTION refuse_if_held(company_of_call TEXT, sid_of_call TEXT) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('offhook hold ' || company_of_call, 0));
    IF EXISTS (SELECT 1 FROM legal_hold WHERE company = company_of_call AND released_us IS NULL
        AND (call_sid IS NULL OR call_sid = sid_of_call)) THEN
        RAISE EXCEPTION 'a call is held' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END
$$;

-- Before when a call must have ended so that what remains of it may go. The floor is 1096 days: three
-- years (12 CFR 1006.100), of which one may have a day more.
CREATE FUNCTION retention_floor_us() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp())::BIGINT - 1096 * 86400) * 1000000
$$;

CREATE FUNCTION keep_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'live' OR OLD.ended_us > retention_floor_us() THEN
        RAISE EXCEPTION 'a call is kept for three years'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM refuse_if_held(OLD.company, OLD.sid);
    IF EXISTS (SELECT 1 FROM recording WHERE call_sid = OLD.sid) THEN
        RAISE EXCEPTION 'a recording of the call is kept'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER call_is_kept
BEFORE DELETE ON call
FOR EACH ROW EXECUTE FUNCTION keep_call();

-- What goes together with its call finds no call any more here; that was allowed above.
CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid
        AND (status = 'live' OR ended_us > retention_floor_us())) THEN
        RAISE EXCEPTION 'a journal is kept for three years'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM refuse_if_held(OLD.company, OLD.call_sid);
    RETURN OLD;
END
$$;

CREATE TRIGGER journal_is_kept
BEFORE DELETE ON conversation_log
FOR EACH ROW EXECUTE FUNCTION keep_words();

CREATE TRIGGER summary_is_kept
BEFORE DELETE ON summary
FOR EACH ROW EXECUTE FUNCTION keep_words();

-- A recording whose call has no row has no age, and stays.
CREATE FUNCTION keep_recording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM call WHERE sid = OLD.call_sid AND status = 'ended'
        AND ended_us <= retention_floor_us()) THEN
        RAISE EXCEPTION 'a recording is kept for three years'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM refuse_if_held(OLD.company, OLD.call_sid);
    RETURN OLD;
END
$$;

CREATE TRIGGER recording_is_kept
BEFORE DELETE ON recording
FOR EACH ROW EXECUTE FUNCTION keep_recording();

-- A caller's number has no floor, and what is to be deleted at the carrier has passed it.
CREATE FUNCTION keep_if_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_if_held(OLD.company, OLD.call_sid);
    RETURN OLD;
END
$$;

CREATE TRIGGER caller_is_kept
BEFORE DELETE ON caller
FOR EACH ROW EXECUTE FUNCTION keep_if_held();

CREATE TRIGGER media_is_kept
BEFORE DELETE ON media_deletion
FOR EACH ROW EXECUTE FUNCTION keep_if_held();

-- As for calls: a transaction sees the rows of the company that it says, or with `*` all of them.
ALTER TABLE caller ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON caller USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE legal_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON legal_hold USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE media_deletion ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON media_deletion USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE deletion ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON deletion USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE sweep ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON sweep USING (
    current_setting('offhook.company', true) IN (company, '*')
);
