import type {Channels} from './channels.ts'
import type {RedisConfiguration} from './configuration.ts'
import type {Database} from './database.ts'
import type {MemoryLimit} from './memory-limit.ts'
import {Push, type Blocked, type Result} from './result.ts'

/** The parts of the engine that a command may use. */
export interface CommandEngine {
  readonly channels: Channels
  readonly configuration: RedisConfiguration
  readonly memory: MemoryLimit
  readonly sessions: ReadonlySet<Session>
  readonly databases: readonly Database[]
  readonly startedAt: number
  readonly runId: string
  readonly port: number
  readonly space: string
  readonly commandsRun: number
  /** Throws a RangeError for an index beyond the last. */
  database(index: number): Database
  /** Makes EXEC of the session fail if one of these keys changes before it. */
  watch(session: Session, key: string): void
  unwatch(session: Session): void
  /** Writes new changes to the file, if there is one. Returns false on failure. */
  save(): boolean
}

export type RunCommand = (session: Session, args: readonly string[]) => Result | Blocked

/** The positions of a command's keys, as COMMAND reports them: first, last, step; 0: no keys. */
export type KeyPositions = readonly [first: number, last: number, step: number]

/** A command of the table. */
export interface Command {
  /** The name in lower case. */
  readonly name: string
  /** Number of arguments, including the name; negative: a minimum. */
  readonly arity: number
  readonly isWrite: boolean
  readonly keys: KeyPositions
  /** Whether a call may need more memory for keys. Omitted: a list of names decides. */
  readonly grows?: (args: readonly string[]) => boolean
  /** Subcommands by their names in lower case. */
  readonly subcommands?: Readonly<Record<string, Omit<Command, 'name'>>>
  readonly run: RunCommand
}

/** A command of a transaction, which waits for EXEC. */
export interface QueuedCommand {
  readonly command: Command
  readonly args: readonly string[]
}

/** The state of one connection: its database, transaction, subscriptions and names. */
export class Session {
  readonly id: number
  readonly engine: CommandEngine
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
  /** Whether a subscriber may send commands in RESP2, too: for connections that deliver pushes separately. */
  mayMix = false
  /** Whether the client has sent QUIT: the connection closes after the answer. */
  isEnding = false
  db: Database
  /** The commands of the transaction; undefined: no transaction. */
  queue: QueuedCommand[] | undefined
  /** Bytes of the arguments in `queue`. */
  queued = 0
  /** Whether a queued command was refused, so that EXEC fails. */
  isQueueBroken = false
  /** Whether a watched key has changed, so that EXEC does nothing. */
  isWatchBroken = false
  readonly watched = new Map<Database, Set<string>>()
  lastCommand = 'NULL'
  lastAt = Date.now()
  /** Ends the connection; set by the server. */
  onKill: () => void = () => {}
  /** Receives pushes. */
  readonly #deliver: (push: Push) => void
  /** Ends the wait of the blocked command with an answer; undefined: none waits. */
  cancelWait: ((answer: Result | undefined) => void) | undefined

  /** @internal */
  constructor(engine: CommandEngine, id: number, deliver: (push: Push) => void) {
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

  /** Ends a transaction, and forgets watched keys. */
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
