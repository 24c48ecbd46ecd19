import type net from 'node:net'

/** The set of open connections to some servers, in any protocol. */
export class Connections {
  readonly #open = new Set<net.Socket>()
  readonly #waiting: (() => void)[] = []

  /** Adds all later connections of a server. */
  follow(server: net.Server): void {
    server.on('connection', (socket: net.Socket) => this.add(socket))
  }

  add(socket: net.Socket): void {
    this.#open.add(socket)
    socket.once('close', () => this.#forget(socket))
  }

  get open(): Iterable<net.Socket> {
    return this.#open
  }

  /** Settles when no connection is open. */
  async gone(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #forget(socket: net.Socket): void {
    this.#open.delete(socket)
    if (this.#open.size === 0) for (const settle of this.#waiting.splice(0)) settle()
  }
}
