-- The few pictures of a study that its report shows: JPEG thumbnails, in
-- base64. The data set is '' for drawn scenes, which are nobody's.
CREATE TABLE pictures (
    study    TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    image    TEXT   NOT NULL,
    position BIGINT NOT NULL,
    dataset  TEXT   NOT NULL,
    width    BIGINT NOT NULL,
    height   BIGINT NOT NULL,
    jpeg     TEXT   NOT NULL,
    PRIMARY KEY (study, image)
);

-- Where a run looked before each word of its stored caption of such a picture:
-- weights of side×side regions, word by word as JSON, centred at first, first + step
-- and so on, in fractions of the picture's width and height.
CREATE TABLE attention_maps (
    study TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    run   TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    image TEXT   NOT NULL,
    side  BIGINT NOT NULL,
    first DOUBLE PRECISION NOT NULL,
    step  DOUBLE PRECISION NOT NULL,
    alpha TEXT   NOT NULL,
    PRIMARY KEY (study, run, image)
);
