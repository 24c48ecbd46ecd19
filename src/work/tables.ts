/** Wake-ups: a row each, found by its time. They are not kept in memory. */
const WAKE_UP = 'due INTEGER, kind TEXT, owner INTEGER, name TEXT, data BLOB'
const WAKE_UP_INDEXES = `
  CREATE INDEX wake_ups_by_due ON wake_ups (due, id);
  CREATE INDEX wake_ups_by_owner ON wake_ups (owner, kind);
`
const WAKE_UPS = `CREATE TABLE wake_ups (id INTEGER PRIMARY KEY, ${WAKE_UP}); ${WAKE_UP_INDEXES}`

/** A row for each instance, and one for each turn: its events, each as field 3 of a message. Times are ms since 1970. */
const INSTANCE = `
  app TEXT, id TEXT, execution TEXT, name TEXT, version TEXT, status INTEGER, created INTEGER, started INTEGER, updated INTEGER,
  input TEXT, output TEXT, customStatus TEXT, failure BLOB, parentApp TEXT, parentId TEXT, parentExecution TEXT,
  parentTask INTEGER, turns INTEGER, rounds INTEGER
`
const INSTANCE_INDEXES = `
  CREATE UNIQUE INDEX instances_by_id ON instances (app, id);
  CREATE INDEX instances_by_parent ON instances (parentApp, parentId) WHERE parentId IS NOT NULL;
`
const WORKFLOWS = `
  CREATE TABLE instances (key INTEGER PRIMARY KEY, ${INSTANCE});
  ${INSTANCE_INDEXES}
  CREATE TABLE turns (instance INTEGER, turn INTEGER, events BLOB, PRIMARY KEY (instance, turn)) WITHOUT ROWID;
  CREATE TABLE inbox (id INTEGER PRIMARY KEY, instance INTEGER, kind TEXT, name TEXT, event BLOB);
  CREATE INDEX inbox_by_instance ON inbox (instance);
  CREATE TABLE activities (
    instance INTEGER, task INTEGER, app TEXT, taskExecution TEXT, request BLOB, PRIMARY KEY (instance, task)
  ) WITHOUT ROWID;
`

/** Columns for why an instance is stalled (an event) and for its trace, and an index of the instances of an app that are not over. */
const ACTIVE = 'CREATE INDEX active_instances ON instances (app) WHERE status IN (0, 2, 6, 7, 8);'
const STALLED = `
  ALTER TABLE instances ADD COLUMN stall BLOB;
  ALTER TABLE instances ADD COLUMN trace TEXT;
  ${ACTIVE}
`

/** How far what waits is ahead of the clock of the machine: one row, or none. */
const CLOCK = 'CREATE TABLE clock (ahead INTEGER);'

/** Finds the instances of a trace for the calls that belong to it. */
const TRACES = 'CREATE INDEX instances_by_trace ON instances (trace) WHERE trace IS NOT NULL;'

/** Times are those of the file, with what was skipped; `step`: ms; `remaining`: the number of firings left, the next one included. */
const REMINDER = `
  app TEXT, type TEXT, id TEXT, name TEXT, due INTEGER, step INTEGER, remaining INTEGER, expires INTEGER, dueTime TEXT,
  period TEXT, ttl TEXT, data TEXT, policy TEXT
`
const REMINDER_INDEX = 'CREATE UNIQUE INDEX reminders_by_name ON reminders (type, id, name);'
const REMINDERS = `CREATE TABLE reminders (key INTEGER PRIMARY KEY, ${REMINDER}); ${REMINDER_INDEX}`

/** The history that an instance has received from its parent. */
const RECEIVED = 'ALTER TABLE instances ADD COLUMN received BLOB;'

/** Jobs: a row each (`Job`); one whose tick is under way has no wake-up. Keys are never used again. */
const JOBS = `
  CREATE TABLE jobs (
    key INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT, name TEXT, schedule TEXT, dueTime TEXT, ttl TEXT, repeats INTEGER,
    dataType TEXT, data BLOB, policy TEXT, begin INTEGER, planned INTEGER, expires INTEGER, count INTEGER, last INTEGER,
    attempts INTEGER, isDue INTEGER, isPaused INTEGER, answer TEXT
  );
  CREATE UNIQUE INDEX jobs_by_name ON jobs (app, name);
  CREATE INDEX due_jobs ON jobs (isDue) WHERE isDue = 1;
`

/** Events of transactions (`OutboxEvent`). Keys are never used again. */
const OUTBOX = `
  CREATE TABLE outbox (
    key INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT, store TEXT, marker TEXT, pubsub TEXT, topic TEXT, event BLOB, made INTEGER
  );
`

/** A row of `activities` may be a child workflow that an app of another run starts. */
const FAR_CHILDREN = 'ALTER TABLE activities ADD COLUMN isChild INTEGER NOT NULL DEFAULT 0;'

/** An answer must not reach a later row with the key of the one that it is for: only AUTOINCREMENT never uses a key again. */
const keyed = (table: string, columns: string): string => `
  CREATE TABLE fresh (${columns});
  INSERT INTO fresh SELECT * FROM ${table};
  DROP TABLE ${table};
  ALTER TABLE fresh RENAME TO ${table};
`
const KEY = 'INTEGER PRIMARY KEY AUTOINCREMENT'
const KEYS =
  keyed('wake_ups', `id ${KEY}, ${WAKE_UP}`) +
  WAKE_UP_INDEXES +
  keyed('instances', `key ${KEY}, ${INSTANCE}, stall BLOB, trace TEXT, received BLOB`) +
  INSTANCE_INDEXES +
  ACTIVE +
  TRACES +
  keyed('reminders', `key ${KEY}, ${REMINDER}`) +
  REMINDER_INDEX

/** Reminders are marked as due and tried again as jobs are, with the same policy. */
const SERIES = `
  ALTER TABLE reminders ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE reminders ADD COLUMN isDue INTEGER NOT NULL DEFAULT 0;
  UPDATE reminders SET isDue = key NOT IN (SELECT owner FROM wake_ups WHERE kind = 'reminder'), policy = json_patch('{}',
    json_object('kind', 'constant', 'intervalMs', policy ->> 'intervalMs', 'maxRetries', policy ->> 'retries'));
  CREATE INDEX due_reminders ON reminders (isDue) WHERE isDue = 1;
`

/** Triggers of sleeping apps (`Triggers`): a row each. */
const TRIGGERS = 'CREATE TABLE triggers (key INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT, triggers TEXT);'

/** Numbers for detached children that apps of other runs start. */
const DETACHED = `
  CREATE TABLE detached (task ${KEY});
  INSERT INTO detached SELECT max(task) FROM activities WHERE instance = 0;
  DELETE FROM detached;
`

/** Requests of other runs for detached children, each with the time at which its child began. They were known by the execution of that child before. */
const BEGUN = `
  CREATE TABLE begun (request TEXT PRIMARY KEY, time INTEGER) WITHOUT ROWID;
  CREATE INDEX begun_by_time ON begun (time);
  INSERT OR IGNORE INTO begun SELECT execution, created FROM instances WHERE length(execution) = 64;
`

/** The migrations of the file; their number is the version of the file. A file with a higher version was written by a newer Pillion. */
export const STEPS: readonly string[] = [
  WAKE_UPS + WORKFLOWS,
  STALLED,
  CLOCK,
  TRACES,
  REMINDERS,
  RECEIVED,
  JOBS,
  OUTBOX,
  FAR_CHILDREN,
  KEYS,
  SERIES,
  TRIGGERS,
  DETACHED,
  BEGUN
]
