-- What people wrote of a run and the tags that they gave it: kind is note or tag. No part of
-- what was trained, scored or declared.
CREATE TABLE run_notes (
    run        TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL CHECK (kind IN ('note', 'tag')),
    text       TEXT   NOT NULL,
    written_ms BIGINT NOT NULL,
    PRIMARY KEY (run, kind, text)
);

-- Likewise of a study.
CREATE TABLE study_notes (
    study      TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    kind       TEXT   NOT NULL CHECK (kind IN ('note', 'tag')),
    text       TEXT   NOT NULL,
    written_ms BIGINT NOT NULL,
    PRIMARY KEY (study, kind, text)
);

-- Completed runs of a study that were deleted after they had been scored. The run may be there
-- again: trained anew, or merged.
CREATE TABLE deletions (
    study           TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    run             TEXT   NOT NULL,
    deleted_ms      BIGINT NOT NULL,
    arm             TEXT   NOT NULL,
    seed            BIGINT NOT NULL,
    finished_ms     BIGINT,
    captions_sha256 TEXT   NOT NULL,
    PRIMARY KEY (study, run, deleted_ms)
);
