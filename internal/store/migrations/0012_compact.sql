-- Captions and readings in less than half the room, with the same values. Rows lie in the order of
-- their key, which is stored once (WITHOUT ROWID). Lists of numbers are packed into blobs, two
-- characters a byte: a digit as itself, a point as A, a space as B, a minus as C, an e as E; a B
-- fills the last byte. So HEX shows them: '0.25 -1e-05' is X'0A25BC1EC05B'. meteor_stats is the list of
-- METEOR's counts: test_length, ref_length, test_matches, ref_matches, chunks, test_weight,
-- ref_weight, test_match_weight, ref_match_weight. A text that is no such list, or no JSON of just
-- these counts in this order, stays a text, which glimpse_pack (packed.go) says by NULL.

PRAGMA legacy_alter_table = ON; -- views of others go on naming the tables as they do

ALTER TABLE readings RENAME TO readings_11;
CREATE TABLE readings (
    run              TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split            TEXT NOT NULL,
    image            TEXT NOT NULL,
    other            TEXT NOT NULL,
    own_log_prob     TEXT NOT NULL,
    other_log_prob   TEXT NOT NULL,
    regions_log_prob TEXT,
    even_log_prob    TEXT,
    other_beta       TEXT,
    PRIMARY KEY (run, split, image)
) WITHOUT ROWID;
INSERT INTO readings
SELECT run, split, image, other,
    COALESCE(glimpse_pack('own_log_prob', own_log_prob), own_log_prob),
    COALESCE(glimpse_pack('other_log_prob', other_log_prob), other_log_prob),
    COALESCE(glimpse_pack('regions_log_prob', regions_log_prob), regions_log_prob),
    COALESCE(glimpse_pack('even_log_prob', even_log_prob), even_log_prob),
    COALESCE(glimpse_pack('other_beta', other_beta), other_beta)
FROM readings_11 ORDER BY run, split, image;
DROP TABLE readings_11;

ALTER TABLE ensemble_captions RENAME TO ensemble_captions_11;
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
) WITHOUT ROWID;
INSERT INTO ensemble_captions
SELECT study, cell, image, words, log_prob, match1, match2, match3, match4, length, ref_length, rouge_l, cider, cider_d, meteor,
    COALESCE(glimpse_pack('meteor_stats', meteor_stats), meteor_stats)
FROM ensemble_captions_11 ORDER BY study, cell, image;
DROP TABLE ensemble_captions_11;

ALTER TABLE captions RENAME TO captions_11;
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
) WITHOUT ROWID;
INSERT INTO captions
SELECT run, split, image, words, log_prob,
    COALESCE(glimpse_pack('beta', beta), beta),
    COALESCE(glimpse_pack('entropy', entropy), entropy),
    scored, match1, match2, match3, match4, length, ref_length, rouge_l, cider, cider_d, meteor,
    COALESCE(glimpse_pack('meteor_stats', meteor_stats), meteor_stats)
FROM captions_11 ORDER BY run, split, image;
DROP TABLE captions_11;

PRAGMA legacy_alter_table = OFF;

DROP VIEW v_captions;
CREATE VIEW v_captions AS
SELECT run, split, image, words,
    CASE TYPEOF(log_prob) WHEN 'text' THEN NULL ELSE log_prob END AS log_prob,
    CASE TYPEOF(beta) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(beta)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE beta END AS beta,
    CASE TYPEOF(entropy) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(entropy)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE entropy END AS entropy,
    length, ref_length,
    CASE TYPEOF(rouge_l) WHEN 'text' THEN NULL ELSE rouge_l END AS rouge_l,
    CASE TYPEOF(cider) WHEN 'text' THEN NULL ELSE cider END AS cider,
    CASE TYPEOF(cider_d) WHEN 'text' THEN NULL ELSE cider_d END AS cider_d,
    CASE TYPEOF(meteor) WHEN 'text' THEN NULL ELSE meteor END AS meteor
FROM captions;

CREATE VIEW v_readings AS
SELECT run, split, image, other,
    CASE TYPEOF(own_log_prob) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(own_log_prob)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE own_log_prob END AS own_log_prob,
    CASE TYPEOF(other_log_prob) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(other_log_prob)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE other_log_prob END AS other_log_prob,
    CASE TYPEOF(regions_log_prob) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(regions_log_prob)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE regions_log_prob END AS regions_log_prob,
    CASE TYPEOF(even_log_prob) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(even_log_prob)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE even_log_prob END AS even_log_prob,
    CASE TYPEOF(other_beta) WHEN 'blob' THEN RTRIM(REPLACE(REPLACE(REPLACE(LOWER(HEX(other_beta)), 'a', '.'), 'b', ' '), 'c', '-')) ELSE other_beta END AS other_beta
FROM readings;
