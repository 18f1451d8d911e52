-- Companies: versions of their configuration, and which of them calls are held under.

-- One row for each company.
CREATE TABLE company (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) > 0),
    -- The version that new calls are held under. Nothing: no call is taken.
    active_version INTEGER,
    FOREIGN KEY (id, active_version) REFERENCES company_version (company, version)
) STRICT;

-- What was imported, as it was written. A change is a new version.
CREATE TABLE company_version (
    company     TEXT    NOT NULL REFERENCES company (id),
    version     INTEGER NOT NULL CHECK (version > 0),
    -- The whole file: TOML.
    content     TEXT    NOT NULL,
    -- SHA-256 of it, in hexadecimal.
    sha256      TEXT    NOT NULL CHECK (length(sha256) = 64),
    imported_us INTEGER NOT NULL CHECK (imported_us >= 0),
    imported_by TEXT    NOT NULL,
    PRIMARY KEY (company, version)
) STRICT;

CREATE TRIGGER company_version_stays
BEFORE UPDATE ON company_version
BEGIN
    SELECT RAISE(ABORT, 'a version of a company does not change');
END;

CREATE TRIGGER company_version_is_kept
BEFORE DELETE ON company_version
BEGIN
    SELECT RAISE(ABORT, 'a version of a company is kept');
END;

-- What a version offers its agent. Where a function goes is the server's business.
CREATE TABLE function_definition (
    company   TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    name      TEXT    NOT NULL CHECK (length(name) > 0),
    -- Whether it changes something.
    level     TEXT    NOT NULL CHECK (level IN ('read', 'write')),
    -- JSON Schema of what the agent must give.
    arguments TEXT    NOT NULL CHECK (json_valid(arguments)),
    -- How often one call may run it; nothing: as often as any function.
    calls_max INTEGER CHECK (calls_max > 0),
    -- How long it may take.
    budget_ms INTEGER NOT NULL CHECK (budget_ms > 0),
    PRIMARY KEY (company, version, name),
    FOREIGN KEY (company, version) REFERENCES company_version (company, version)
) STRICT;

CREATE TRIGGER function_definition_stays
BEFORE UPDATE ON function_definition
BEGIN
    SELECT RAISE(ABORT, 'a function of a version does not change');
END;

CREATE TRIGGER function_definition_is_kept
BEFORE DELETE ON function_definition
BEGIN
    SELECT RAISE(ABORT, 'a function of a version is kept');
END;

-- Which version became active when, and by which command.
CREATE TABLE company_activation (
    company TEXT    NOT NULL,
    -- Counts the activations of a company, from 1.
    seq     INTEGER NOT NULL CHECK (seq > 0),
    version INTEGER NOT NULL,
    at_us   INTEGER NOT NULL CHECK (at_us >= 0),
    command TEXT    NOT NULL CHECK (command IN ('activate', 'rollback', 'start')),
    actor   TEXT    NOT NULL,
    PRIMARY KEY (company, seq),
    FOREIGN KEY (company, version) REFERENCES company_version (company, version)
) STRICT;

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

-- The numbers of the active versions. A number is one company's.
CREATE TABLE company_number (
    number  TEXT NOT NULL PRIMARY KEY,
    company TEXT NOT NULL REFERENCES company (id)
) STRICT;
