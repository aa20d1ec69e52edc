-- How often the runners of a study were asked to stop (`glimpse stop`), whatever became of
-- it. A runner heeds the requests that come after its start, also before the study and its
-- runs are recorded, which they are once its data are read: hence no reference.
CREATE TABLE stop_requests (
    study    TEXT   NOT NULL PRIMARY KEY,
    requests BIGINT NOT NULL
);
