import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import {messageOf} from '../model/errors.ts'
import type {LeasedSidecar} from './messages.ts'

/** A reader that takes nothing for so long at the end of a run is not waited for. */
const TIMEOUT_MS = 500

/** The logs that are being read by others. They go at the pace of their readers. */
export class Streams {
  readonly #sending = new Set<Promise<void>>()

  /** Sends texts to their end; 404 where there are none. What they come from hears of a reader who leaves. */
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

  /** Settles when all is sent, or when time is up. */
  async settled(): Promise<void> {
    const timeoutMs = Promise.withResolvers<void>()
    const timer = setTimeout(timeoutMs.resolve, TIMEOUT_MS)
    await Promise.race([Promise.all(this.#sending), timeoutMs.promise])
    clearTimeout(timer)
  }

  async #pump(response: ServerResponse, texts: AsyncIterable<string>, gone: AbortSignal): Promise<void> {
    try {
      for await (const text of texts) if (!response.write(text, 'latin1')) await once(response, 'drain', {signal: gone})
      response.end()
      await once(response, 'finish', {signal: gone})
    } catch (error) {
      if (gone.aborted) return // the reader left
      response.end(`… ${messageOf(error)}\n`)
    }
  }
}

/** Tells of a sidecar in one line; the answer ends when the sidecar closes. 404 with the ids of all apps where there is none. */
export function lease(
  response: ServerResponse,
  leased: LeasedSidecar | undefined,
  known: () => readonly string[]
): void {
  if (leased === undefined) return void response.writeHead(404).end(JSON.stringify(known()))
  response.writeHead(200)
  response.write(`${JSON.stringify(leased.told)}\n`)
  const end = (): void => void response.end()
  response.once('close', () => leased.closing.removeEventListener('abort', end))
  if (leased.closing.aborted) end()
  else leased.closing.addEventListener('abort', end)
}
