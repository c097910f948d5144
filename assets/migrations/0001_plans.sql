-- Plans and what happened while they ran. Times are seconds since 1970 in UTC.
CREATE TABLE plans (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  verb TEXT NOT NULL,
  target TEXT NOT NULL,
  target_id TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at REAL NOT NULL,
  started_at REAL,
  ended_at REAL,
  runner_pid INTEGER,
  cancel_requested_at REAL,
  undoes TEXT NOT NULL DEFAULT '',
  left_behind TEXT NOT NULL DEFAULT ''
);
CREATE INDEX plans_by_state ON plans (state);
CREATE TABLE plan_events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  plan_id TEXT NOT NULL,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  step_id TEXT NOT NULL DEFAULT '',
  body TEXT NOT NULL
);
CREATE INDEX plan_events_by_plan ON plan_events (plan_id, number);
