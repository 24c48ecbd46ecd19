import type {Duplex} from 'node:stream'

/** Maximum size of bytes that a client sends before the response to its upgrade, for which it has to wait (RFC 9110 §7.8). */
const MAX_BYTES = 65_536

/** Reads a connection while its upgrade waits for earlier responses. Closes it if the client disconnects, which node:http no longer notices. */
export class UpgradeBuffer {
  readonly #socket: Duplex
  #bytes: Buffer

  /** `bytes`: bytes after the request. */
  constructor(socket: Duplex, bytes: Buffer) {
    this.#socket = socket
    this.#bytes = bytes
    socket.on('data', this.#take).on('end', this.#leave)
  }

  /** Stops reading and returns all bytes so far. The caller of `release` has to add its own `data` listener in the same tick. */
  release(): Buffer {
    this.#socket.off('data', this.#take).off('end', this.#leave)
    return this.#bytes
  }

  readonly #take = (bytes: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (this.#bytes.length > MAX_BYTES) this.#socket.destroy()
  }

  readonly #leave = (): void => void this.#socket.destroy()
}
