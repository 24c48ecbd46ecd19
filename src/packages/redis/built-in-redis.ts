import type {RedisConnection} from './connection.ts'
import {MemoryConnection} from './memory-connection.ts'
import {RedisServer, type RouteClient} from './server.ts'
import {inMemory, openStoredKeys, type StoredKeys} from './storage/stored-keys.ts'

export interface BuiltInRedisOptions {
  /** 0: a free one. */
  readonly port: number
  /** The file of the keys; undefined: they are in memory only. */
  readonly file?: string | undefined
  /** The copy of a template whose keys these are, for who asks (INFO); left out: they are shared. */
  readonly space?: string | undefined
  /** Calls `serve` for a client, or passes it on with its first bytes; left out: all are served. */
  readonly route?: RouteClient | undefined
  /** Called with what happens to the file, other than that it cannot be used. */
  readonly warn: (text: string) => void
}

/**
 * A Redis of our own at a port of loopback, with its keys in a file. The process that holds the port holds the file: when it is closed,
 * or its process ends in whatever way, another process can open both and continue.
 */
export class BuiltInRedis {
  readonly #server: RedisServer
  readonly #keys: StoredKeys

  private constructor(server: RedisServer, keys: StoredKeys) {
    this.#server = server
    this.#keys = keys
  }

  /** Throws a UserError if the port is taken. Clients that come before the keys are read wait. */
  static async open({port, file, space = '', route, warn}: BuiltInRedisOptions): Promise<BuiltInRedis> {
    const server = await RedisServer.bind(port, space)
    try {
      const keys = file === undefined ? inMemory() : await openStoredKeys(file, warn)
      keys.engine.space = space
      server.serve(keys.engine, route)
      return new BuiltInRedis(server, keys)
    } catch (error) {
      await server.close()
      throw error
    }
  }

  get port(): number {
    return this.#server.port
  }

  /** Says where the keys are kept: `in memory`, with the reason if a file was asked for, or `in FILE`. */
  get where(): string {
    const {file, refusal} = this.#keys
    return file === undefined ? `in memory only${refusal === '' ? '' : `: ${refusal}`}` : `in ${file}`
  }

  /** The keys are in memory, though they were to be kept. */
  get isForgetful(): boolean {
    return this.#keys.refusal !== ''
  }

  /** A connection without a socket. */
  connect(database = 0): RedisConnection {
    return new MemoryConnection(this.#keys.engine, database)
  }

  /** Writes what is left, then lets the port go: who takes it finds the file closed. */
  async close(): Promise<void> {
    this.#keys.close()
    await this.#server.close()
  }
}
