import type {Command} from './command.ts'
import type {Database} from './database.ts'
import type {RedisEngine} from './engine.ts'
import {Push, type Result} from './result.ts'

/** A command that waits for EXEC. */
export interface QueuedCommand {
  readonly command: Command
  readonly args: readonly string[]
}

/** What one connection has set up: its database, transaction, subscriptions and names. */
export class Session {
  readonly id: number
  readonly engine: RedisEngine
  readonly since = Date.now()
  readonly channels = new Set<string>()
  readonly patterns = new Set<string>()
  /** `address:port` of the client; '' inside this process. */
  address = ''
  localAddress = ''
  name = ''
  libraryName = ''
  libraryVersion = ''
  protocol: 2 | 3 = 2
  /** Commands and subscriptions share the connection also in RESP2: their answers go different ways. */
  mayMix = false
  /** The client has said QUIT: the connection closes after the answer. */
  isEnding = false
  db: Database
  /** The commands of a transaction; undefined outside one. */
  queue: QueuedCommand[] | undefined
  /** Bytes of their arguments. */
  queued = 0
  /** A queued command was refused: EXEC fails. */
  isQueueBroken = false
  /** The commands run inside EXEC: nothing blocks. */
  isExecuting = false
  /** A watched key was changed: EXEC does nothing. */
  isWatchBroken = false
  readonly watched = new Map<Database, Set<string>>()
  lastCommand = 'NULL'
  lastAt = Date.now()
  /** Ends the connection; set by the server. */
  onKill: () => void = () => {}
  /** Where pushes go. */
  readonly #deliver: (push: Push) => void
  /** The command that waits. */
  cancelWait: ((answer: Result | undefined) => void) | undefined

  /** @internal */
  constructor(engine: RedisEngine, id: number, deliver: (push: Push) => void) {
    this.engine = engine
    this.id = id
    this.#deliver = deliver
    this.db = engine.database(0)
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size
  }

  push(items: readonly Result[]): void {
    this.#deliver(new Push(items))
  }

  /** Ends a transaction, and forgets what was watched. */
  endTransaction(): void {
    this.queue = undefined
    this.queued = 0
    this.isQueueBroken = false
    this.unwatch()
  }

  unwatch(): void {
    this.engine.unwatch(this)
    this.isWatchBroken = false
  }
}
