-- What a study declared before its results were known: number 0, and the amendments
-- behind it. It can be replaced until frozen_ms, when the first final split
-- of one of the study's runs was scored; known is how many of its runs had been
-- completed when it was declared.
CREATE TABLE declarations (
    study       TEXT   NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    declaration TEXT   NOT NULL,
    sha256      TEXT   NOT NULL,
    reason      TEXT   NOT NULL DEFAULT '',
    commit_id   TEXT   NOT NULL DEFAULT '',
    declared_ms BIGINT NOT NULL,
    frozen_ms   BIGINT,
    known       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (study, number)
);
