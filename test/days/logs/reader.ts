import {EventEmitter} from 'node:events'
import type {ServerResponse} from 'node:http'
import type {ApiRequest} from '../../../src/observe/api/route.ts'
import {decoded} from '../../../src/model/bytes.ts'
import type * as Api from '../../../src/model/api.generated.ts'

type Row = Api.Line | {readonly note: string} | Api.LinesLeft

export const BYTES = 'application/octet-stream'

/** The lines of apps in the text of a log file; of ours none. */
const rowsOfFile = (text: string): readonly Row[] =>
  text.split('\n').flatMap((each): readonly Row[] => {
    if (each.startsWith('\xe2\x80\xa6 ')) return [{note: decoded(each)}]
    const [, app = '', line] = /^== APP - (\w+) == (.*)$/s.exec(each) ?? []
    return line === undefined ? [] : [{app, line: decoded(line).replace(/\r$/, ''), time: null, stream: null}]
  })

/** Who reads lines through the API, at its own pace, and may leave. */
export class Reader {
  readonly #gone = new AbortController()
  readonly #events = new EventEmitter()
  readonly query: string
  isSlow = false
  isDone = false
  hasLeft = false
  error: unknown
  place = 0
  text = ''
  #waiting: (() => void)[] = []
  destroyed = false
  readonly #isBytes: boolean

  constructor(query: string, answer: (asked: ApiRequest) => Promise<unknown>, accept = 'application/x-ndjson') {
    this.query = query
    this.#isBytes = accept === BYTES
    const asked: Partial<ApiRequest> = {
      query: new URLSearchParams(query),
      gone: this.#gone.signal,
      request: {headers: {accept}} as ApiRequest['request'],
      response: this as unknown as ServerResponse
    }
    void answer(asked as ApiRequest)
      .catch((error: unknown) => (this.error = error))
      .finally(() => (this.isDone = true))
  }

  get rows(): readonly Row[] {
    if (this.#isBytes) return rowsOfFile(this.text)
    return this.text
      .split('\n')
      .filter(each => each !== '')
      .map(each => JSON.parse(each) as Row)
  }

  /** Takes what it was sent. */
  take(): void {
    for (const done of this.#waiting.splice(0)) done()
  }

  leave(): void {
    if (this.isDone) return
    this.hasLeft = true
    this.destroyed = true
    this.#gone.abort()
    this.take()
    this.#events.emit('close')
  }

  writeHead(_status: number, headers: Readonly<Record<string, string | number>>): this {
    this.place = Number(headers['pillion-log-place'] ?? 0)
    return this
  }

  flushHeaders(): void {
    // nothing is held back
  }

  write(text: string, _encoding: unknown, done: () => void): void {
    if (!this.hasLeft) this.text += text
    if (this.isSlow && !this.hasLeft) this.#waiting.push(done)
    else queueMicrotask(done)
  }

  once(name: string, listener: () => void): this {
    this.#events.once(name, listener)
    return this
  }

  end(done?: () => void): this {
    if (done !== undefined) queueMicrotask(done)
    return this
  }

  destroy(error?: Error): void {
    this.error = error
    this.leave()
  }
}
