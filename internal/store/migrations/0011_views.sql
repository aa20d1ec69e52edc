-- Views for people with notebooks: docs/notebooks.md describes their columns, which are only ever added to.
-- glimpse itself never reads them. A number that was not measured, or is not finite, is NULL in them.

CREATE VIEW v_metrics AS
SELECT run, split, key AS metric,
    CASE TYPEOF(value) WHEN 'text' THEN NULL ELSE value END AS value
FROM metrics;

CREATE VIEW v_epochs AS
SELECT e.run, e.epoch, e.epoch = r.best_epoch AS selected,
    CASE TYPEOF(e.loss) WHEN 'text' THEN NULL ELSE e.loss END AS loss,
    CASE TYPEOF(e.lr) WHEN 'text' THEN NULL ELSE e.lr END AS lr,
    CASE TYPEOF(e.seconds) WHEN 'text' THEN NULL ELSE e.seconds END AS seconds,
    CASE TYPEOF(e.captions_per_second) WHEN 'text' THEN NULL ELSE e.captions_per_second END AS captions_per_second,
    CASE JSON_TYPE(e.val, '$.bleu1') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.bleu1') END AS "val.bleu1",
    CASE JSON_TYPE(e.val, '$.bleu2') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.bleu2') END AS "val.bleu2",
    CASE JSON_TYPE(e.val, '$.bleu3') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.bleu3') END AS "val.bleu3",
    CASE JSON_TYPE(e.val, '$.bleu4') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.bleu4') END AS "val.bleu4",
    CASE JSON_TYPE(e.val, '$.rouge_l') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.rouge_l') END AS "val.rouge_l",
    CASE JSON_TYPE(e.val, '$.cider') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.cider') END AS "val.cider",
    CASE JSON_TYPE(e.val, '$.cider_d') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.cider_d') END AS "val.cider_d",
    CASE JSON_TYPE(e.val, '$.cider_plain') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.cider_plain') END AS "val.cider_plain",
    CASE JSON_TYPE(e.val, '$.meteor') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.meteor') END AS "val.meteor",
    CASE JSON_TYPE(e.val, '$.meteor-exact-stem') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.meteor-exact-stem') END AS "val.meteor-exact-stem",
    CASE JSON_TYPE(e.val, '$.copied') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.copied') END AS "val.copied",
    CASE JSON_TYPE(e.val, '$.length_ratio') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.length_ratio') END AS "val.length_ratio",
    CASE JSON_TYPE(e.val, '$.distinct') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.distinct') END AS "val.distinct",
    CASE JSON_TYPE(e.val, '$.vocabulary') WHEN 'text' THEN NULL ELSE JSON_EXTRACT(e.val, '$.vocabulary') END AS "val.vocabulary"
FROM epochs e JOIN runs r ON r.id = e.run;

CREATE VIEW v_captions AS
SELECT run, split, image, words,
    CASE TYPEOF(log_prob) WHEN 'text' THEN NULL ELSE log_prob END AS log_prob,
    beta, entropy, length, ref_length,
    CASE TYPEOF(rouge_l) WHEN 'text' THEN NULL ELSE rouge_l END AS rouge_l,
    CASE TYPEOF(cider) WHEN 'text' THEN NULL ELSE cider END AS cider,
    CASE TYPEOF(cider_d) WHEN 'text' THEN NULL ELSE cider_d END AS cider_d,
    CASE TYPEOF(meteor) WHEN 'text' THEN NULL ELSE meteor END AS meteor
FROM captions;

-- A row a run, under the oldest study that holds it.
CREATE VIEW v_runs AS
SELECT r.id AS id,
    COALESCE(m.study, '') AS study,
    (SELECT JSON_GROUP_ARRAY(study) FROM (SELECT h.study FROM study_runs h JOIN studies s ON s.name = h.study
        WHERE h.run = r.id ORDER BY s.created_ms, s.name)) AS studies,
    COALESCE(m.arm, '') AS arm,
    r.seed AS seed,
    CASE WHEN r.state = 'interrupted' AND r.failure = 'pruned' THEN 'pruned' ELSE r.state END AS state,
    CASE WHEN r.state = 'interrupted' AND r.failure = 'pruned' THEN '' ELSE r.failure END AS failure,
    r.error AS error,
    r.attempt AS attempt,
    r.epochs AS epochs,
    NULLIF(r.best_epoch, 0) AS best_epoch,
    CASE TYPEOF(r.seconds) WHEN 'text' THEN NULL ELSE r.seconds END AS seconds,
    NULLIF(r.parameters, 0) AS parameters,
    STRFTIME('%Y-%m-%dT%H:%M:%SZ', r.created_ms / 1000, 'unixepoch') AS created,
    STRFTIME('%Y-%m-%dT%H:%M:%SZ', r.started_ms / 1000, 'unixepoch') AS started,
    STRFTIME('%Y-%m-%dT%H:%M:%SZ', r.finished_ms / 1000, 'unixepoch') AS finished,
    r.signature AS signature,
    COALESCE(JSON_EXTRACT(r.environment, '$.host'), '') AS host,
    COALESCE(JSON_EXTRACT(r.environment, '$.device'), '') AS device,
    COALESCE(JSON_EXTRACT(r.environment, '$.commit'), '') AS "commit",
    (SELECT JSON_GROUP_ARRAY(text) FROM (SELECT n.text FROM run_notes n WHERE n.run = r.id AND n.kind = 'tag'
        UNION SELECT n.text FROM study_notes n JOIN study_runs h ON h.study = n.study WHERE h.run = r.id AND n.kind = 'tag'
        ORDER BY 1)) AS tags,
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'bleu1') AS "test.bleu1",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'bleu2') AS "test.bleu2",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'bleu3') AS "test.bleu3",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'bleu4') AS "test.bleu4",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'rouge_l') AS "test.rouge_l",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'cider') AS "test.cider",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'cider_d') AS "test.cider_d",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'cider_plain') AS "test.cider_plain",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'meteor') AS "test.meteor",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'meteor-exact-stem') AS "test.meteor-exact-stem",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'copied') AS "test.copied",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'length_ratio') AS "test.length_ratio",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'distinct') AS "test.distinct",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'test' AND v.metric = 'vocabulary') AS "test.vocabulary",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'bleu1') AS "val.bleu1",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'bleu2') AS "val.bleu2",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'bleu3') AS "val.bleu3",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'bleu4') AS "val.bleu4",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'rouge_l') AS "val.rouge_l",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'cider') AS "val.cider",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'cider_d') AS "val.cider_d",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'cider_plain') AS "val.cider_plain",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'meteor') AS "val.meteor",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'meteor-exact-stem') AS "val.meteor-exact-stem",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'copied') AS "val.copied",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'length_ratio') AS "val.length_ratio",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'distinct') AS "val.distinct",
    (SELECT v.value FROM v_metrics v WHERE v.run = r.id AND v.split = 'val' AND v.metric = 'vocabulary') AS "val.vocabulary",
    r.settings AS settings
FROM runs r LEFT JOIN study_runs m ON m.run = r.id AND m.study = (
    SELECT s.name FROM study_runs h JOIN studies s ON s.name = h.study WHERE h.run = r.id ORDER BY s.created_ms, s.name LIMIT 1);
