-- What the protocols of the last audit made of a run's captions, in its order.
CREATE TABLE audits (
    run         TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    split       TEXT   NOT NULL,
    protocol    TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    says        TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    images      BIGINT NOT NULL,
    bleu1       DOUBLE PRECISION NOT NULL,
    bleu2       DOUBLE PRECISION NOT NULL,
    bleu3       DOUBLE PRECISION NOT NULL,
    bleu4       DOUBLE PRECISION NOT NULL,
    claim_bleu1 DOUBLE PRECISION NOT NULL,
    claim_bleu2 DOUBLE PRECISION NOT NULL,
    reaches     BIGINT NOT NULL,
    reportable  BIGINT NOT NULL,
    why         TEXT   NOT NULL,
    audited_ms  BIGINT NOT NULL,
    PRIMARY KEY (run, split, protocol)
);
