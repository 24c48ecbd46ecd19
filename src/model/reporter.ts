/** Every warning of a run has a code that stays the same when its wording changes. `docs/messages.md` lists them. */
export type WarningCode =
  | 'actor-waits'
  | 'actors'
  | 'app-crashed'
  | 'app-excepted'
  | 'app-given-up'
  | 'app-not-ready'
  | 'app-not-started'
  | 'app-reloads-itself'
  | 'app-unhealthy'
  | 'apps-borrowed'
  | 'background-task-failed'
  | 'built-in-redis'
  | 'call-not-brought-back'
  | 'calls-cut'
  | 'command-not-found'
  | 'copies-lost'
  | 'daprd-ended'
  | 'daprd-missing'
  | 'data-shared'
  | 'duplicate-app-id'
  | 'duplicate-app-port'
  | 'duplicate-run'
  | 'endless-wait'
  | 'exporter-failed'
  | 'fixed-port-not-used'
  | 'ignored-key'
  | 'import-not-found'
  | 'job'
  | 'log-file-failed'
  | 'message-lost'
  | 'no-component'
  | 'no-shell'
  | 'not-built'
  | 'not-enforced'
  | 'odd-app-id'
  | 'policies-enforced'
  | 'port-taken'
  | 'ports-moved'
  | 'process-ended'
  | 'redis-keys'
  | 'reload-failed'
  | 'resource-not-used'
  | 'restart-waits-for-change'
  | 'runtime-folder-skipped'
  | 'template-edit-failed'
  | 'unknown-key'
  | 'unset-variable'
  | 'watch-limited'
  | 'watchdog-lost'
  | 'work-file'
  | 'work-left'
  | 'work-unfinished'
  | 'workspace-kept'

/** Reports to the user what they should know. It never throws. */
export interface Reporter {
  /** A problem that does not end the run. The text has no line end; further lines are indented. */
  warn(code: WarningCode, text: string): void
}

/** Reports also what is no problem. */
export interface TellingReporter extends Reporter {
  /** Something that is good to know, in one line. */
  tell(text: string): void
}

/** A warning about a template, known before anything starts. */
export interface Hint {
  readonly code: WarningCode
  readonly text: string
}
