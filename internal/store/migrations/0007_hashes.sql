-- The SHA-256 of the rows that a run has in a table (part), as they were when nobody
-- was left to write them: since it was planned, or since its last attempt ended.
-- Part 'diff' is that of the differences which its environment keeps.
CREATE TABLE run_hashes (
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    part   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, part)
);

-- Likewise the rows of a study, since they were last written.
CREATE TABLE study_hashes (
    study  TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    part   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (study, part)
);
