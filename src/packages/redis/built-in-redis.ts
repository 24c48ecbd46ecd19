import type {RedisConnection} from './connection.ts'
import {MemoryConnection} from './memory-connection.ts'
import {RedisServer, type RouteClient} from './server.ts'
import {inMemory, openStoredKeys, type StoredKeys} from './storage/stored-keys.ts'

export interface BuiltInRedisOptions {
  /** Port to listen at; 0: a free port. */
  readonly port: number
  /** The file of the keys; undefined: they are in memory only. */
  readonly file?: string | undefined
  /** Name of the copy whose keys these are, which INFO reports. Omitted: runs share the keys. */
  readonly space?: string | undefined
  /** Calls `serve` for a client, or passes it on with its first bytes; omitted: all are served. */
  readonly route?: RouteClient | undefined
  /** Warns of events of the file, except that it is unusable. */
  readonly warn: (text: string) => void
}

/**
 * Pillion's own Redis server at a port of the loopback, with its keys in a file. The process that has the port has the file, too. When that
 * process ends in any way, another one can open both and continue.
 */
export class BuiltInRedis {
  readonly #server: RedisServer
  readonly #keys: StoredKeys

  private constructor(server: RedisServer, keys: StoredKeys) {
    this.#server = server
    this.#keys = keys
  }

  /** Opens the port, then the file. Clients wait until the keys are read. Throws a UserError if the port is taken. */
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

  /** Describes where the keys are: `in memory`, with the reason if a file was asked for, or `in FILE`. */
  get where(): string {
    const {file, refusal} = this.#keys
    return file === undefined ? `in memory only${refusal === '' ? '' : `: ${refusal}`}` : `in ${file}`
  }

  /** Whether the keys are only in memory although a file was requested. */
  get isForgetful(): boolean {
    return this.#keys.refusal !== ''
  }

  /** Returns a connection without a socket. */
  connect(database = 0): RedisConnection {
    return new MemoryConnection(this.#keys.engine, database)
  }

  /** Stores all changes, closes the file, then frees the port for the next process. */
  async close(): Promise<void> {
    this.#keys.close()
    await this.#server.close()
  }
}
