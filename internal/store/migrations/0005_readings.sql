-- What a run's best checkpoint makes of the words of its stored captions with
-- their own picture and with another: log probabilities in nats and the
-- sentinel's weights, word by word, as numbers separated by spaces. With the other
-- picture's regions alone, and with even attention; NULL where the arm has no such thing.
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
);
