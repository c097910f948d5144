-- A plan may be paused and gone on with under its own id; boot_id tells whether the host has been
-- started anew since it was begun.
ALTER TABLE plans ADD COLUMN pause_requested_at REAL;
ALTER TABLE plans ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plans ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';
-- What is known of files on disk: good while device, inode, size and mtime are the same.
CREATE TABLE model_files (
  path TEXT PRIMARY KEY,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  facts TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL DEFAULT '',
  hashed_at REAL
);
CREATE INDEX model_files_by_sha256 ON model_files (sha256);
-- What the hub said of a file, by repository, path and the revision that was asked for.
CREATE TABLE hub_files (
  repo TEXT NOT NULL,
  path TEXT NOT NULL,
  revision TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL DEFAULT '',
  accepted INTEGER NOT NULL DEFAULT 0,
  asked_at REAL NOT NULL,
  PRIMARY KEY (repo, path, revision)
);
-- Rates that downloads reached, newest last; bounded by the program.
CREATE TABLE download_rates (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  endpoint TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  seconds REAL NOT NULL
);
