import type {Program} from '../rig/program.ts'

/** For `node`: it can be inspected, at any free port. */
export const INSPECTED = '--inspect=127.0.0.1:0'

type Answer = Readonly<Record<string, number>>

/** What V8 tells of a program that was started so. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #last = 0

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({data}) => {
      const {id, result} = JSON.parse(String(data)) as {id?: number; result?: Answer}
      if (id !== undefined) this.#waiting.get(id)?.(result ?? {})
    })
  }

  static async of({stderr}: Program): Promise<Inspector> {
    const url = /ws:\S+/.exec(await stderr.line('Debugger listening on'))?.[0] ?? ''
    const socket = new WebSocket(url)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error(`nobody to inspect at ${url}`)))
    })
    return new Inspector(socket)
  }

  /** Bytes that are in use after all garbage is gone: objects and buffers. */
  async bytesInUse(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage')
    const {usedSize = 0, backingStorageSize = 0} = await this.#ask('Runtime.getHeapUsage')
    return usedSize + backingStorageSize
  }

  close(): void {
    this.#socket.close()
  }

  async #ask(method: string): Promise<Answer> {
    const id = ++this.#last
    this.#socket.send(JSON.stringify({id, method}))
    return new Promise(resolve => this.#waiting.set(id, resolve))
  }
}
