/** Type of keys that SQLite never reuses: a late answer for a removed row must not reach a new one. */
const KEY = 'INTEGER PRIMARY KEY AUTOINCREMENT'
const WAKE_UPS = `
  CREATE TABLE wake_ups (id ${KEY}, due INTEGER, kind TEXT, owner INTEGER, name TEXT, data BLOB);
  CREATE INDEX wake_ups_by_due ON wake_ups (due, id);
  CREATE INDEX wake_ups_by_owner ON wake_ups (owner, kind);
`

/**
 * Tables of workflows: a row per instance, and one per turn with its events. `events`: field 3 of a protobuf message, once per event. Times
 * are ms since 1970. `stall`: the event with the reason of the stall. `received`: history received from the parent.
 */
const WORKFLOWS = `
  CREATE TABLE instances (
    key ${KEY}, app TEXT, id TEXT, execution TEXT, name TEXT, version TEXT, status INTEGER, created INTEGER, started INTEGER,
    updated INTEGER, input TEXT, output TEXT, customStatus TEXT, failure BLOB, parentApp TEXT, parentId TEXT, parentExecution TEXT,
    parentTask INTEGER, turns INTEGER, rounds INTEGER, stall BLOB, trace TEXT, received BLOB
  );
  CREATE UNIQUE INDEX instances_by_id ON instances (app, id);
  CREATE INDEX instances_by_parent ON instances (parentApp, parentId) WHERE parentId IS NOT NULL;
  CREATE INDEX active_instances ON instances (app) WHERE status IN (0, 2, 6, 7, 8);
  CREATE INDEX instances_by_trace ON instances (trace) WHERE trace IS NOT NULL;
  CREATE TABLE turns (instance INTEGER, turn INTEGER, events BLOB, PRIMARY KEY (instance, turn)) WITHOUT ROWID;
  CREATE TABLE inbox (id INTEGER PRIMARY KEY, instance INTEGER, kind TEXT, name TEXT, event BLOB);
  CREATE INDEX inbox_by_instance ON inbox (instance);
  CREATE TABLE activities (
    instance INTEGER, task INTEGER, app TEXT, taskExecution TEXT, request BLOB, PRIMARY KEY (instance, task)
  ) WITHOUT ROWID;
`

/** Table with at most one row: how far skips have advanced the file's clock, in ms. */
const CLOCK = 'CREATE TABLE clock (ahead INTEGER);'

/** Table of reminders. Times are the file's, skips included. `step`: ms. `remaining`: firings left, the next one included. */
const REMINDERS = `
  CREATE TABLE reminders (
    key ${KEY}, app TEXT, type TEXT, id TEXT, name TEXT, due INTEGER, step INTEGER, remaining INTEGER, expires INTEGER,
    dueTime TEXT, period TEXT, ttl TEXT, data TEXT, policy TEXT, attempts INTEGER NOT NULL DEFAULT 0, isDue INTEGER NOT NULL DEFAULT 0
  );
  CREATE UNIQUE INDEX reminders_by_name ON reminders (type, id, name);
  CREATE INDEX due_reminders ON reminders (isDue) WHERE isDue = 1;
`

/** Table of jobs (`Job`). A job that is paused, or whose tick is due, has no row in `wake_ups`. */
const JOBS = `
  CREATE TABLE jobs (
    key ${KEY}, app TEXT, name TEXT, schedule TEXT, dueTime TEXT, ttl TEXT, repeats INTEGER, dataType TEXT, data BLOB, policy TEXT,
    begin INTEGER, planned INTEGER, expires INTEGER, count INTEGER, last INTEGER, attempts INTEGER, isDue INTEGER, isPaused INTEGER,
    answer TEXT
  );
  CREATE UNIQUE INDEX jobs_by_name ON jobs (app, name);
  CREATE INDEX due_jobs ON jobs (isDue) WHERE isDue = 1;
`

/** Events of transactions (`OutboxEvent`). */
const OUTBOX = `
  CREATE TABLE outbox (
    key ${KEY}, app TEXT, store TEXT, marker TEXT, pubsub TEXT, topic TEXT, event BLOB, made INTEGER
  );
`

/** Triggers of sleeping apps (`Triggers`): a row each. */
const TRIGGERS = `CREATE TABLE triggers (key ${KEY}, app TEXT, triggers TEXT);`

/** Migrations of the file. The file stores the number of those that it has had as its version. */
export const STEPS: readonly string[] = [WAKE_UPS + WORKFLOWS + CLOCK + REMINDERS + JOBS + OUTBOX + TRIGGERS]
