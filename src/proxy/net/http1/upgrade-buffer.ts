import type {Duplex} from 'node:stream'

/** Maximum bytes before the response to an upgrade, for which a client must wait (RFC 9110 §7.8). */
const MAX_BYTES = 65_536

/**
 * Reads a connection whose upgrade waits for the responses to earlier requests. Notices a client that leaves or sends too much: node:http
 * no longer watches the connection.
 */
export class UpgradeBuffer {
  readonly #socket: Duplex
  #bytes: Buffer

  /** `bytes`: the bytes after the request. */
  constructor(socket: Duplex, bytes: Buffer) {
    this.#socket = socket
    this.#bytes = bytes
    socket.on('data', this.#take).on('end', this.#leave)
  }

  /** Returns all bytes so far. The caller must attach its own `data` listener in the same tick. */
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
