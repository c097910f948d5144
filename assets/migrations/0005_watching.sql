-- Other things than plans on the timeline. A key names what is the same when it happens again; such
-- rows may stand for several: `at` is the first, `until` the last.
ALTER TABLE timeline ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE timeline ADD COLUMN until REAL;
ALTER TABLE timeline ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
CREATE INDEX timeline_by_key ON timeline (key, number) WHERE key <> '';
CREATE INDEX timeline_by_last ON timeline (coalesce(until, at));
-- How things were when they were last looked at, as JSON: what differs the next time has changed.
CREATE TABLE observed (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  at REAL NOT NULL
);
-- VRAM of each card by minute: mean and peak in bytes, busy in percent; bounded by the program.
CREATE TABLE vram_history (
  uuid TEXT NOT NULL,
  at REAL NOT NULL,
  used INTEGER NOT NULL,
  peak INTEGER NOT NULL,
  total INTEGER NOT NULL,
  busy REAL,
  PRIMARY KEY (uuid, at)
) WITHOUT ROWID;
CREATE INDEX vram_history_by_time ON vram_history (at);
