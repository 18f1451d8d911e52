-- What operators need: work that was given up is taken up again, and a company is taken off the line. The
-- same as in migrations/sqlite.

-- When it was queued, or taken up again: how long it has waited.
ALTER TABLE outbox ADD COLUMN queued_us BIGINT NOT NULL DEFAULT 0 CHECK (queued_us >= 0);

DROP TRIGGER outbox_ends_once ON outbox;
UPDATE outbox SET queued_us = not_before_us;

-- What is done stays done. What was given up may begin again, and nothing else of it changes.
CREATE TRIGGER outbox_ends_once
BEFORE UPDATE ON outbox
FOR EACH ROW WHEN (
    (OLD.ended_us IS NOT NULL AND (OLD.failed IS NULL OR NEW.ended_us IS NOT NULL))
    OR NEW.id <> OLD.id OR NEW.company <> OLD.company
    OR NEW.call_sid IS DISTINCT FROM OLD.call_sid OR NEW.kind <> OLD.kind OR NEW.key <> OLD.key
    OR NEW.payload <> OLD.payload
)
EXECUTE FUNCTION refuse_change('work ends once, and is not made another');

CREATE INDEX outbox_given_up ON outbox (kind) WHERE failed IS NOT NULL;

-- A row with `deactivate` names the version that was active until then.
ALTER TABLE company_activation DROP CONSTRAINT company_activation_command_check;
ALTER TABLE company_activation ADD CONSTRAINT company_activation_command_check
    CHECK (command IN ('activate', 'rollback', 'start', 'deactivate'));
