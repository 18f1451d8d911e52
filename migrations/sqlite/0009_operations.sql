-- What operators need: work that was given up is taken up again, and a company is taken off the line.

-- When it was queued, or taken up again: how long it has waited.
ALTER TABLE outbox ADD COLUMN queued_us INTEGER NOT NULL DEFAULT 0 CHECK (queued_us >= 0);

DROP TRIGGER outbox_ends_once;
UPDATE outbox SET queued_us = not_before_us;

-- What is done stays done. What was given up may begin again, and nothing else of it changes.
CREATE TRIGGER outbox_ends_once
BEFORE UPDATE ON outbox
WHEN (OLD.ended_us IS NOT NULL AND (OLD.failed IS NULL OR NEW.ended_us IS NOT NULL))
    OR NEW.id <> OLD.id OR NEW.company <> OLD.company
    OR NEW.call_sid IS NOT OLD.call_sid OR NEW.kind <> OLD.kind OR NEW.key <> OLD.key
    OR NEW.payload <> OLD.payload
BEGIN
    SELECT RAISE(ABORT, 'work ends once, and is not made another');
END;

CREATE INDEX outbox_given_up ON outbox (kind) WHERE failed IS NOT NULL;

-- SQLite cannot change the words that a column takes, so the table is made anew.
CREATE TABLE company_activation_new (
    company TEXT    NOT NULL,
    -- Counts the activations of a company, from 1.
    seq     INTEGER NOT NULL CHECK (seq > 0),
    -- With `deactivate`, the version that was active until then.
    version INTEGER NOT NULL,
    at_us   INTEGER NOT NULL CHECK (at_us >= 0),
    command TEXT    NOT NULL CHECK (command IN ('activate', 'rollback', 'start', 'deactivate')),
    actor   TEXT    NOT NULL,
    PRIMARY KEY (company, seq),
    FOREIGN KEY (company, version) REFERENCES company_version (company, version)
) STRICT;
INSERT INTO company_activation_new (company, seq, version, at_us, command, actor)
    SELECT company, seq, version, at_us, command, actor FROM company_activation;
DROP TRIGGER company_activation_stays;
DROP TRIGGER company_activation_is_kept;
DROP TABLE company_activation;
ALTER TABLE company_activation_new RENAME TO company_activation;

CREATE TRIGGER company_activation_stays
BEFORE UPDATE ON company_activation
BEGIN
    SELECT RAISE(ABORT, 'what was active when does not change');
END;

CREATE TRIGGER company_activation_is_kept
BEFORE DELETE ON company_activation
BEGIN
    SELECT RAISE(ABORT, 'what was active when is kept');
END;

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
