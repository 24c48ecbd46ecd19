import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import {messageOf} from '../model/errors.ts'
import {writeTo} from '../net/http1/write-to.ts'
import type {LeasedSidecar} from './messages.ts'

/** At the end of a run, a reader that has read nothing for this long is abandoned. */
const TIMEOUT_MS = 500

/** Logs that other processes are reading. Each is sent at the pace of its reader. */
export class Streams {
  readonly #sending = new Set<Promise<void>>()

  /** Sends texts until they end; 404 if there are none. `gone` is aborted when the reader disconnects. */
  async send(response: ServerResponse, open: (gone: AbortSignal) => AsyncIterable<string> | undefined): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const texts = open(gone.signal)
    if (texts === undefined) return void response.writeHead(404).end()
    response.writeHead(200).flushHeaders()
    const sending = this.#pump(response, texts, gone.signal)
    this.#sending.add(sending)
    await sending
    this.#sending.delete(sending)
  }

  /** Settles when everything has been sent, or after the timeout. */
  async settled(): Promise<void> {
    const timeout = Promise.withResolvers<void>()
    const timer = setTimeout(timeout.resolve, TIMEOUT_MS)
    await Promise.race([Promise.all(this.#sending), timeout.promise])
    clearTimeout(timer)
  }

  async #pump(response: ServerResponse, texts: AsyncIterable<string>, gone: AbortSignal): Promise<void> {
    try {
      for await (const text of texts) {
        await writeTo(response, text, 'latin1')
        if (gone.aborted) return
      }
      response.end()
      await once(response, 'finish', {signal: gone})
    } catch (error) {
      if (gone.aborted) return // the reader disconnected
      response.end(`… ${messageOf(error)}\n`)
    }
  }
}

/** Behind a 404 for an app that is in the plan of the run. */
export const STOPPED_HEADERS = {'app-state': 'stopped'} as const

/** Describes a sidecar in one line; the response ends when the sidecar closes. If there is none: 404 with the ids of all apps, and whether the app is stopped. */
export function lease(
  response: ServerResponse,
  leased: LeasedSidecar | undefined,
  without: () => {readonly running: readonly string[]; readonly isStopped: boolean}
): void {
  if (leased === undefined) {
    const {running, isStopped} = without()
    return void response.writeHead(404, isStopped ? STOPPED_HEADERS : {}).end(JSON.stringify(running))
  }
  const {address, closing, ready, onChange} = leased
  let told = ready()
  response.writeHead(200)
  response.write(`${JSON.stringify({...address, ready: told})}\n`)
  const off = onChange(() => {
    if (told === ready()) return
    told = ready()
    response.write(`${told.toString()}\n`)
  })
  const end = (): void => {
    off()
    response.end()
  }
  response.once('close', () => {
    off()
    closing.removeEventListener('abort', end)
  })
  if (closing.aborted) end()
  else closing.addEventListener('abort', end)
}
