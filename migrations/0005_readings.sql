-- What each event was read as, as a digest: `millrace events replay --check` compares it with what today's code and
-- today's field map make of the stored bytes. Null: read by a release that did not keep it.
set local lock_timeout = '1s';
set local statement_timeout = '2s';

alter table ops.events add column reading_sha256 bytea;
