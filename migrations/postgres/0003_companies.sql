-- Companies: versions of their configuration, and which of them calls are held under. The same tables
-- as in migrations/sqlite.

-- One row for each company.
CREATE TABLE company (
    id             TEXT NOT NULL PRIMARY KEY CHECK (length(id) > 0),
    -- The version that new calls are held under. Nothing: no call is taken.
    active_version BIGINT
);

-- What was imported, as it was written. A change is a new version.
CREATE TABLE company_version (
    company     TEXT   NOT NULL REFERENCES company (id),
    version     BIGINT NOT NULL CHECK (version > 0),
    -- The whole file: TOML.
    content     TEXT   NOT NULL,
    -- SHA-256 of it, in hexadecimal.
    sha256      TEXT   NOT NULL CHECK (length(sha256) = 64),
    imported_us BIGINT NOT NULL CHECK (imported_us >= 0),
    imported_by TEXT   NOT NULL,
    PRIMARY KEY (company, version)
);

ALTER TABLE company ADD FOREIGN KEY (id, active_version)
    REFERENCES company_version (company, version);

CREATE TRIGGER company_version_stays
BEFORE UPDATE OR DELETE ON company_version
FOR EACH ROW EXECUTE FUNCTION refuse_change('a version of a company does not change');

-- What a version offers its agent. Where a function goes is the server's business.
CREATE TABLE function_definition (
    company   TEXT   NOT NULL,
    version   BIGINT NOT NULL,
    name      TEXT   NOT NULL CHECK (length(name) > 0),
    -- Whether it changes something.
    level     TEXT   NOT NULL CHECK (level IN ('read', 'write')),
    -- JSON Schema of what the agent must give.
    arguments TEXT   NOT NULL CHECK (arguments::json IS NOT NULL),
    -- How often one call may run it; nothing: as often as any function.
    calls_max BIGINT CHECK (calls_max > 0),
    -- How long it may take.
    budget_ms BIGINT NOT NULL CHECK (budget_ms > 0),
    PRIMARY KEY (company, version, name),
    FOREIGN KEY (company, version) REFERENCES company_version (company, version)
);

CREATE TRIGGER function_definition_stays
BEFORE UPDATE OR DELETE ON function_definition
FOR EACH ROW EXECUTE FUNCTION refuse_change('a function of a version does not change');

-- Which version became active when, and by which command.
CREATE TABLE company_activation (
    company TEXT   NOT NULL,
    -- Counts the activations of a company, from 1.
    seq     BIGINT NOT NULL CHECK (seq > 0),
    version BIGINT NOT NULL,
    at_us   BIGINT NOT NULL CHECK (at_us >= 0),
    command TEXT   NOT NULL CHECK (command IN ('activate', 'rollback', 'start')),
    actor   TEXT   NOT NULL,
    PRIMARY KEY (company, seq),
    FOREIGN KEY (company, version) REFERENCES company_version (company, version)
);

CREATE TRIGGER company_activation_stays
BEFORE UPDATE OR DELETE ON company_activation
FOR EACH ROW EXECUTE FUNCTION refuse_change('what was active when does not change');

-- The numbers of the active versions. A number is one company's.
CREATE TABLE company_number (
    number  TEXT NOT NULL PRIMARY KEY,
    company TEXT NOT NULL REFERENCES company (id)
);

-- Tells every server that another version is active, once that is committed.
CREATE FUNCTION tell_of_company() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('offhook_company', NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER company_is_told
AFTER INSERT OR UPDATE ON company
FOR EACH ROW EXECUTE FUNCTION tell_of_company();

-- As for calls: a transaction sees the rows of the company that it says, or with `*` all of them.
ALTER TABLE company ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON company USING (
    current_setting('offhook.company', true) IN (id, '*')
);
ALTER TABLE company_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON company_version USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE function_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON function_definition USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE company_activation ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON company_activation USING (
    current_setting('offhook.company', true) IN (company, '*')
);
ALTER TABLE company_number ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_company ON company_number USING (
    current_setting('offhook.company', true) IN (company, '*')
);
