-- What the rows of a run in a table (part) hash to, as they were when nobody was left to
-- write them: since it was planned, or since its last attempt ended. The hash is the
-- number of the schema whose columns it covers, a colon, and a SHA-256. Part 'diff' is
-- the SHA-256 of the differences that the run's environment keeps.
CREATE TABLE run_hashes (
    run  TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    part TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (run, part)
);

-- Likewise the rows of a study, since they were last written.
CREATE TABLE study_hashes (
    study TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    part  TEXT NOT NULL,
    hash  TEXT NOT NULL,
    PRIMARY KEY (study, part)
);
