/** Every warning of a run has a code that stays the same when its wording changes. Its meaning follows it: `npm run docs` writes `docs/messages.md` from it. */
export type WarningCode =
  | 'actor-waits' // A turn of an actor waits for itself, maybe over other actors: it ends when its caller gives up.
  | 'actors' // An app's configuration of actors cannot be used.
  | 'app-crashed' // A process crashed. The message contains the exit code or signal, the calls in flight, and the most useful line of its output. A crash that repeats is reported the 2nd, 4th, 8th … time.
  | 'app-excepted' // `run --except` names the app: you start it yourself.
  | 'app-given-up' // An app is no longer restarted, since it failed too often.
  | 'app-not-ready' // An app is not ready after `ready.timeout`. Pillion keeps waiting.
  | 'app-not-started' // An app was not started because an app that it depends on failed.
  | 'app-reloads-itself' // `--watch` does not watch an app, because its program reloads itself.
  | 'app-unhealthy' // The health check of an app fails. The app gets no calls until the check succeeds.
  | 'background-task-failed' // A background task failed, for example looking for apps of other runs. The run continues.
  | 'built-in-redis' // No Redis answered at a port of this machine that a component names: this run answers there; or this copy has a Redis of its own. The message says where the keys are kept.
  | 'calls-cut' // Calls were still in flight at the end of the grace period and were cancelled.
  | 'calls-not-held' // Programs call an app at its `appPort`, where a reload holds no call. Once for an app.
  | 'command-not-found' // The program of an app does not exist.
  | 'copies-lost' // Copies of calls do not reach a shadow version of a Daeploy service.
  | 'daprd-ended' // The daprd next to an app has exited. Pillion restarts it, at most five times in a row.
  | 'daprd-missing' // A component needs a real daprd, and there is none that can be used.
  | 'data-shared' // Another copy of the template that runs uses the same data in a real Redis, a database or a broker. The message says what keeps copies apart.
  | 'duplicate-app-id' // Two entries of different programs have the same `appID`: they are instances of one app.
  | 'duplicate-app-port' // Two apps have the same `appPort`.
  | 'duplicate-key' // A key of the template is written twice. The last one counts, of `env` both.
  | 'duplicate-run' // The same template already runs.
  | 'endless-wait' // An app waits until another one ends (`dependsOn: {db: completed}`) that keeps running like a server.
  | 'shown-copy-ended' // The copy that answered in the place of this run (`pillion show`) takes no calls any more.
  | 'entrance-taken' // Another program, another user's run or a suspended run has the port at which apps are called by name. All else works.
  | 'events-wait' // Events that an app has not taken fill memory (`pubsub.in-memory`). Above 256 MiB for one subscription a publish is refused.
  | 'exporter-failed' // Spans cannot be sent to a collector or to Zipkin. Calls are not affected.
  | 'few-descriptors' // This process may open too few files (`ulimit -n`): connections will be closed.
  | 'fixed-port-not-used' // An app with a `port`, or a Daeploy service, listens on another port than it was given, or cannot listen, since its code has a number of its own. The message says what to change.
  | 'host-refused' // The framework of an app refuses the name by which a browser calls it. The message names the setting and its file. Once for an app.
  | 'ignored-key' // A key of the template has no effect, although Dapr's documentation or another section knows it.
  | 'import-not-found' // A Daeploy service imports a Python module that is not installed.
  | 'in-background' // The command of an app has exited and left its server in the background. Pillion follows and stops that. Once for an app.
  | 'job' // A job that its app cannot get: it has no port
  | 'log-file-failed' // A log file cannot be written. Console output continues, and so does the file as soon as it can be written, with a line that says what is missing.
  | 'message-lost' // An app failed to handle a message, and nothing keeps it: no dead letter topic, no retry policy.
  | 'name-taken' // A run of another folder has the name of an app. The message says which, and what to write.
  | 'no-actor-store' // Workflows run, and no Component has `actorStateStore: "true"`, which a real Dapr needs for them. Once in a run.
  | 'no-network' // The network of the run's containers cannot be made, or its engine gives containers no names there. The message says why.
  | 'no-limits' // The system gives no `limits` here: apps run without. The message says what is missing. Once in a run.
  | 'no-component' // The template's `conversation` names a component that no app has: its model is asked as ever.
  | 'no-shell' // A command was written for a shell, but programs are started without one, as by Dapr.
  | 'not-built' // The template asks for something that has no effect, or an app for something of Dapr that Pillion does not do yet; the message says what.
  | 'not-copied' // A file of a service could not be copied into its working copy.
  | 'not-enforced' // A Configuration restricts calls in a way that Pillion does not enforce.
  | 'numbers-taken-over' // No other copy listens at numbers of the template any more: this run answers there, until a copy that has them starts.
  | 'odd-app-id' // An `appID` has characters that do not pass through URLs and headers as they are, or a dot.
  | 'outbox' // An event of a committed transaction cannot be published yet. Pillion retries until it succeeds.
  | 'policies-enforced' // The access policies of a Configuration, or a WorkflowAccessPolicy, are enforced; a self-hosted Dapr without mTLS ignores the former, and for the latter refuses whatever another app asks.
  | 'port-taken' // Another program listens on the `appPort` of an app.
  | 'ports-moved' // The run has other ports than its template names: a copy of the template has those, or `--isolated` was given.
  | 'process-ended' // A process that had left the process group of its app was ended.
  | 'redis-keys' // The file of the keys of the built-in Redis could not be used or written. The message says what happened to it.
  | 'reload-failed' // An app did not become ready after a reload, or keeps its process because its folder is gone.
  | 'resource-not-used' // A resource file has a mistake: a resource, or a part of it, has no effect.
  | 'restart-waits-for-change' // A watched app exited with code 0. The app restarts when one of its files changes.
  | 'runtime-folder-skipped' // The folder in which runs are registered belongs to another user and is skipped.
  | 'template-edit-failed' // The template was edited and has a mistake. The run stays as it is.
  | 'server-of-other-run' // The command that asks whether an app is ready would ask the server of another copy of the template, and is not run, or an app cannot listen, as another run has its port. The message says whose server it is and what to do.
  | 'unknown-key' // A key of the template is unknown, so it has no effect.
  | 'unread-line' // A line of an env file is neither NAME=value nor a comment. The line has no effect.
  | 'unset-variable' // A variable that the template interpolates is not set. Its value is empty.
  | 'watch-limited' // Files are polled because the system has no watches left, or an app restarts too often because it changes its own files.
  | 'watchdog-lost' // The watchdog process exited. If Pillion is now killed by SIGKILL, apps keep running.
  | 'work-file' // The file of what outlives a run (workflows) is held by another run, or could not be read or written. The message says what happened to it.
  | 'work-left' // Workflows wait for an app that the template does not have, or the file of what earlier runs have left has become large.
  | 'work-unfinished' // A workflow has failed or still waits at the end of `up --run`, which keeps none.
  | 'workflow-stalled' // Workflows cannot continue with the code of the worker that has connected, after a save for example. Such workflows keep their state, and continue when a worker connects that fits their history.
  | 'workflows-wait' // No worker takes the workflows that an app is to run: they wait in the file of what outlives a run, with their inputs.
  | 'workspace-kept' // A working copy was kept because files in it were changed.
  | 'zombies-kept' // Pillion is the first process of a container and cannot reap orphans with this version of Node. Start the container with `docker run --init`.

/** Reports to the user, and never throws. */
export interface Reporter {
  /** A problem that does not end the run. The text has no line end; further lines are indented. */
  warn(code: WarningCode, text: string): void
}

/** Reports plain information, too. */
export interface TellingReporter extends Reporter {
  /** Prints one line of information. */
  tell(text: string): void
}

/** A warning about a template from before the start. */
export interface Hint {
  readonly code: WarningCode
  readonly text: string
}
