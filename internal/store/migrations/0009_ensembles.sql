-- The captions that all runs of a cell of a study's design (an arm, or an arm at one
-- level of its factors) write together: a study that declares them has at most one set a
-- cell. members are the ids of the runs, in the order of their seeds, separated by
-- spaces; metrics are those of the split, as JSON.
CREATE TABLE ensembles (
    study           TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    cell            TEXT   NOT NULL,
    split           TEXT   NOT NULL,
    members         TEXT   NOT NULL,
    signature       TEXT   NOT NULL,
    metrics         TEXT   NOT NULL,
    captions_sha256 TEXT   NOT NULL,
    seconds         DOUBLE PRECISION NOT NULL,
    made_ms         BIGINT NOT NULL,
    PRIMARY KEY (study, cell)
);

-- Its captions, with the counts that captions of runs have.
CREATE TABLE ensemble_captions (
    study        TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    cell         TEXT   NOT NULL,
    image        TEXT   NOT NULL,
    words        TEXT   NOT NULL,
    log_prob     DOUBLE PRECISION NOT NULL,
    match1       BIGINT NOT NULL,
    match2       BIGINT NOT NULL,
    match3       BIGINT NOT NULL,
    match4       BIGINT NOT NULL,
    length       BIGINT NOT NULL,
    ref_length   BIGINT NOT NULL,
    rouge_l      DOUBLE PRECISION NOT NULL,
    cider        DOUBLE PRECISION NOT NULL,
    cider_d      DOUBLE PRECISION NOT NULL,
    meteor       DOUBLE PRECISION,
    meteor_stats TEXT,
    PRIMARY KEY (study, cell, image)
);
