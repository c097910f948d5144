-- Edits: what was asked for and what came of it. A seed may be larger than SQLite's integers.
CREATE TABLE edits (
  id TEXT PRIMARY KEY,
  group_id TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  service TEXT NOT NULL,
  kind TEXT NOT NULL,
  workflow TEXT NOT NULL,
  variant TEXT NOT NULL DEFAULT '',
  prompt TEXT NOT NULL DEFAULT '',
  negative TEXT NOT NULL DEFAULT '',
  seed TEXT,
  created_at REAL NOT NULL,
  ended_at REAL,
  submitted INTEGER NOT NULL DEFAULT 0,
  -- All else of it, as JSON (console.edits.kept.KeptEdit without its pictures).
  body TEXT NOT NULL
);
CREATE INDEX edits_by_time ON edits (created_at);
CREATE INDEX edits_by_state ON edits (state);
CREATE INDEX edits_by_group ON edits (group_id);
CREATE TABLE edit_pictures (
  edit_id TEXT NOT NULL REFERENCES edits (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  number INTEGER NOT NULL,
  path TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL DEFAULT 0,
  width INTEGER,
  height INTEGER,
  media TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (edit_id, role, number)
);
CREATE INDEX edit_pictures_by_path ON edit_pictures (path);
CREATE INDEX edit_pictures_by_sha256 ON edit_pictures (sha256);
CREATE INDEX edit_pictures_by_source ON edit_pictures (source);
