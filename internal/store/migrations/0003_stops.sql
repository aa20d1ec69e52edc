-- The attempt that was asked to end (`glimpse stop`). A later attempt is not
-- meant by it, so that nothing has to be taken back.
ALTER TABLE runs ADD COLUMN stop_attempt BIGINT;
