import type {Duplex} from 'node:stream'

/** A client has to wait for the answer to its upgrade (RFC 9110 §7.8); one that sends more than this does not. */
const MAX_BYTES = 65_536

/**
 * Reads a connection whose upgrade waits until the requests before it are answered. A client that leaves meanwhile, or
 * sends too much, is disconnected: node:http does not watch the connection any more.
 */
export class UpgradeBuffer {
  readonly #socket: Duplex
  #bytes: Buffer

  /** `bytes`: what came behind the request. */
  constructor(socket: Duplex, bytes: Buffer) {
    this.#socket = socket
    this.#bytes = bytes
    socket.on('data', this.#take).on('end', this.#leave)
  }

  /** All bytes so far. The caller must attach its own `data` listener in the same tick. */
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
