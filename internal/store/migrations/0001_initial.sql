-- Times are milliseconds since 1970 UTC, durations seconds. JSON is kept as
-- text. A DOUBLE PRECISION that is not finite is the text 'nan', 'inf' or
-- '-inf'; NULL means not measured.

CREATE TABLE studies (
    name       TEXT   NOT NULL PRIMARY KEY,
    question   TEXT   NOT NULL,
    spec       TEXT   NOT NULL,
    compare    TEXT,
    created_ms BIGINT NOT NULL
);

CREATE TABLE runs (
    id              TEXT   NOT NULL PRIMARY KEY,
    seed            BIGINT NOT NULL,
    settings        TEXT   NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'interrupted')),
    failure         TEXT   NOT NULL DEFAULT '',
    error           TEXT   NOT NULL DEFAULT '',
    attempt         BIGINT NOT NULL DEFAULT 0,
    beats           BIGINT NOT NULL DEFAULT 0,
    owner_host      TEXT   NOT NULL DEFAULT '',
    owner_place     TEXT   NOT NULL DEFAULT '',
    owner_pid       BIGINT NOT NULL DEFAULT 0,
    owner_start     TEXT   NOT NULL DEFAULT '',
    lease_ms        BIGINT NOT NULL DEFAULT 0,
    progress        TEXT,
    created_ms      BIGINT NOT NULL,
    started_ms      BIGINT,
    heard_ms        BIGINT,
    finished_ms     BIGINT,
    seconds         DOUBLE PRECISION NOT NULL DEFAULT 0,
    epochs          BIGINT NOT NULL DEFAULT 0,
    best_epoch      BIGINT NOT NULL DEFAULT 0,
    parameters      BIGINT NOT NULL DEFAULT 0,
    signature       TEXT   NOT NULL DEFAULT '',
    captions_sha256 TEXT   NOT NULL DEFAULT '',
    weights_sha256  TEXT   NOT NULL DEFAULT '',
    environment     TEXT
);

-- A run belongs to every study that asks for its settings.
CREATE TABLE study_runs (
    study    TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    run      TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    arm      TEXT   NOT NULL,
    swept    TEXT   NOT NULL,
    PRIMARY KEY (study, run)
);
CREATE INDEX study_runs_by_run ON study_runs (run);

-- Who worked on a run, and how it ended: a state of the run, or 'lost'.
CREATE TABLE attempts (
    run        TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt    BIGINT NOT NULL,
    host       TEXT   NOT NULL,
    pid        BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    ended_ms   BIGINT,
    outcome    TEXT   NOT NULL DEFAULT '',
    error      TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (run, attempt)
);

CREATE TABLE epochs (
    run                 TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    epoch               BIGINT NOT NULL,
    loss                DOUBLE PRECISION NOT NULL,
    lr                  DOUBLE PRECISION NOT NULL,
    seconds             DOUBLE PRECISION NOT NULL,
    captions_per_second DOUBLE PRECISION NOT NULL,
    val                 TEXT,
    PRIMARY KEY (run, epoch)
);

-- The columns from scored on are filled once the caption has been scored.
CREATE TABLE captions (
    run          TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split        TEXT   NOT NULL,
    image        TEXT   NOT NULL,
    words        TEXT   NOT NULL,
    log_prob     DOUBLE PRECISION NOT NULL,
    beta         TEXT,
    entropy      TEXT,
    scored       BIGINT NOT NULL DEFAULT 0,
    match1       BIGINT,
    match2       BIGINT,
    match3       BIGINT,
    match4       BIGINT,
    length       BIGINT,
    ref_length   BIGINT,
    rouge_l      DOUBLE PRECISION,
    cider        DOUBLE PRECISION,
    cider_d      DOUBLE PRECISION,
    meteor       DOUBLE PRECISION,
    meteor_stats TEXT,
    PRIMARY KEY (run, split, image)
);

CREATE TABLE metrics (
    run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split TEXT NOT NULL,
    key   TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run, split, key)
);
