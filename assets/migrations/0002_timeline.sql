-- What happened on the host, newest last; bounded by the program. One row for each plan.
CREATE TABLE timeline (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  subject_id TEXT NOT NULL DEFAULT '',
  plan_id TEXT UNIQUE,
  body TEXT NOT NULL
);
CREATE INDEX timeline_by_time ON timeline (at);
CREATE INDEX timeline_by_subject ON timeline (subject);
