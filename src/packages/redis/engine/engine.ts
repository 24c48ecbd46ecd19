import type {Journal} from './journal.ts'
import {Channels} from './channels.ts'
import {commandNamed} from '../commands/table.ts'
import {RedisConfiguration} from './configuration.ts'
import {Database, type DatabaseEvents} from './database.ts'
import {dispatch} from './dispatch.ts'
import {ExpiryTimer} from './expiry-timer.ts'
import {join, leave} from './keyed-sets.ts'
import {MemoryLimit} from './memory-limit.ts'
import {NotificationSettings, type NotificationKind} from './notifications.ts'
import {Blocked, RedisError, type Push, type Result} from './result.ts'
import {Session} from './session.ts'
import {KeyWaiters} from './waiters.ts'

const DATABASES = 16

/** Redis in memory: databases, channels and commands, without sockets or files. Commands run to their end one after another; only blocking ones answer later. */
export class RedisEngine {
  readonly channels = new Channels()
  readonly notifications = new NotificationSettings()
  readonly configuration = new RedisConfiguration(this.notifications)
  readonly sessions = new Set<Session>()
  readonly memory = new MemoryLimit()
  readonly startedAt = Date.now()
  readonly runId: string
  /** Port of the server, which sets it; 0: there is no server. */
  port = 0
  /** Space of the keys; '': that of all runs without a space. */
  space = ''
  commandsRun = 0
  /** Whether the engine is closed for writes. */
  isClosed = false
  #lastSession = 0
  readonly #waiters = new KeyWaiters()
  readonly #journal: Journal | undefined
  readonly #timer = new ExpiryTimer(() => this.#waiters.serve())
  readonly databases: readonly Database[]
  readonly #watchers = new Map<Database, Map<string, Set<Session>>>()

  /** `journal`: collects changes for the file. Without it nothing is stored. */
  constructor(journal?: Journal) {
    this.#journal = journal
    this.runId = Array.from({length: 40}, () => Math.trunc(Math.random() * 16).toString(16)).join('')
    const events: DatabaseEvents = {
      timer: this.#timer,
      isStored: journal !== undefined,
      changed: (database, key) => {
        journal?.note(database, key)
        this.#waiters.changed(database, key)
        for (const session of this.#watchers.get(database)?.get(key) ?? []) session.isWatchBroken = true
      },
      moved: keys => keys.forEach(key => journal?.moved.add(key)),
      note: (database, key, changes) => journal?.note(database, key, changes),
      notify: (database, kind, event, key) => this.#notify(database, kind, event, key)
    }
    this.databases = Array.from({length: DATABASES}, (_, index) => new Database(index, events))
  }

  /** Throws a RangeError for an index beyond the last. */
  database(index: number): Database {
    const database = this.databases[index]
    if (database === undefined) throw new RangeError(`no database ${index}`)
    return database
  }

  /** Opens a connection. Pushes, such as messages of channels, go to `deliver`. */
  open(deliver: (push: Push) => void = () => {}): Session {
    const session = new Session(this, ++this.#lastSession, deliver)
    this.sessions.add(session)
    return session
  }

  /** Ends a connection: subscriptions, transaction, wait. */
  end(session: Session): void {
    if (!this.sessions.delete(session)) return
    session.cancelWait?.(undefined)
    session.endTransaction()
    this.channels.leaveAll(session)
  }

  /** Runs a command. Errors are results; commands that have to wait answer with `Blocked`, to be passed to `wait`. */
  run(session: Session, args: readonly string[]): Result | Blocked {
    this.commandsRun++
    const command = commandNamed(args[0] ?? '')
    if (this.#journal !== undefined) this.#journal.isTransaction = command?.name === 'exec'
    const result = dispatch(session, command, args)
    this.#waiters.serve()
    this.#journal?.settle()
    return result
  }

  /** Waits until a blocked command has its answer. `done` is called once; with undefined if the session ends first. */
  wait(session: Session, blocked: Blocked, done: (result: Result | undefined) => void): void {
    session.cancelWait = this.#waiters.add(session.db, blocked, result => {
      session.cancelWait = undefined
      done(result)
    })
  }

  /** Makes EXEC of the session fail if one of these keys changes before it. */
  watch(session: Session, key: string): void {
    const {db} = session
    const keys = this.#watchers.get(db) ?? new Map<string, Set<Session>>()
    this.#watchers.set(db, keys)
    join(keys, key, session)
    join(session.watched, db, key)
  }

  unwatch(session: Session): void {
    for (const [db, keys] of session.watched) {
      const watchers = this.#watchers.get(db)
      if (watchers !== undefined) for (const key of keys) leave(watchers, key, session)
    }
    session.watched.clear()
  }

  /** Writes new changes to the file, if there is one. Returns false on failure. */
  save(): boolean {
    return this.#journal?.save() ?? true
  }

  /** Ends all sessions and timers. */
  close(): void {
    this.isClosed = true
    for (const session of this.sessions) this.end(session)
    this.#timer.close()
  }

  #notify(database: Database, kind: NotificationKind, event: string, key: string): void {
    if (!this.notifications.isOn) return
    for (const [channel, message] of this.notifications.channels(kind, event, key, database.index))
      try {
        this.channels.publish(channel, message)
      } catch (error) {
        // The write is kept: a subscriber's slow pattern is not the writer's fault.
        if (!(error instanceof RedisError)) throw error
      }
  }
}
