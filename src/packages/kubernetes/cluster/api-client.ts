import {Agent as HttpAgent, type IncomingMessage, request as requestHttp, type RequestOptions} from 'node:http'
import {Agent as HttpsAgent, request as requestHttps} from 'node:https'
import {jsonIn} from '../../../model/is-json.ts'
import {collect, UncollectedBody} from '../../../proxy/net/collector.ts'
import {codeOf, messageOf, UserError} from '../../../model/errors.ts'
import {ClusterError, isStatus, type ClusterStatus} from './api-error.ts'
import {NoCredentials, type ClusterAccess} from './kubeconfig.ts'
import {isObject} from '../../../model/is-object.ts'
import {pause} from '../../../platform/delay.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export interface Ask {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Default: `application/json`. */
  readonly type?: string
  readonly signal?: AbortSignal | undefined
  /** How long to retry a server that cannot be reached; default: `ApiClient.outageMs`; -1: nothing is retried, what is asked for changes. */
  readonly patienceMs?: number | undefined
  /** The answer may begin whenever it does: a log that is followed has no head before its first line. */
  readonly waits?: boolean
  /** The part that a valid answer has: a server that sends none is no API server. */
  readonly needs?: 'metadata' | 'items' | 'versions' | 'resources'
}

interface List<T> {
  readonly metadata?: {readonly resourceVersion?: string; readonly continue?: string}
  readonly items: readonly T[]
}

const PAGE = 500
/** Enough for a million objects; a server that never ends its list is none of Kubernetes. */
const MAX_PAGES = 2000
/** The first answer of a server begins within this time. */
const FIRST_ANSWER_MS = 5000
/** Later ones may wait for the webhooks of others, each of which has at most 30 s (`timeoutSeconds`). */
const ANSWER_MS = 60_000
/** How long to retry a server that is busy (429), is starting, has just learned a kind (503), or is not reached by its proxy (502, 504); and a program that gives no credentials. */
const BUSY_MS = 30_000
/** After this time it is said what we wait for. */
const SAID_MS = 2000
/** The shortest and the longest that we wait between two tries. */
const MIN_PAUSE_MS = 100
const MAX_PAUSE_MS = 10_000
/** The number of bytes to read of an error's text. */
const MAX_ERROR_BYTES = 256 * 1024
const MAX_RESPONSE_BYTES = 512 * 1024 * 1024

/** A connection that was kept ended before the request: it is sent again. All of ours may come twice. */
class StaleConnection extends Error {}

/** Asks an API server. Every answer is what it sent as JSON, so that no field gets lost. */
export class ClusterClient {
  readonly access: ClusterAccess
  /** Whether the server has answered at all. */
  #isKnown = false
  readonly #agents = {http: new HttpAgent({keepAlive: true}), https: new HttpsAgent({keepAlive: true})}
  /** How long to retry a server that cannot be reached; 0 = not at all. */
  outageMs = 0
  /** Hears once in a while of a server that makes us wait; not by those that ask for ever, and say so once (`patienceMs`: 0). */
  onWait: (text: string) => void = () => undefined
  #saidAt = -Infinity
  readonly #hurry = new AbortController()

  constructor(access: ClusterAccess) {
    this.access = access
  }

  /**
   * The response as JSON. Rejects with an `ClusterError`, or with a `UserError` if the server cannot be reached or is none: what it
   * must have is looked at here (`Ask.needs`).
   */
  async json<T>(method: Method, path: string, ask: Ask = {}): Promise<T> {
    const answer = jsonIn(
      await this.#patiently(ask, async () => bodyText(await this.#once(method, path, ask), MAX_RESPONSE_BYTES))
    )
    if (answer === undefined) throw this.#noServer(method, path, 'with no JSON')
    if (ask.needs !== undefined && !has(answer, ask.needs)) throw this.#noServer(method, path, `without ${ask.needs}`)
    return answer as T
  }

  /** All objects of a list, which comes in pages, and the version from which a watch of them continues. */
  async list<T>(path: string, ask: Ask = {}): Promise<Pick<List<T>, 'items'> & {readonly version: string}> {
    const all: (readonly T[])[] = []
    let next: string | undefined
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const query = {...ask.query, limit: PAGE, continue: next}
      const page = this.json<List<T>>('GET', path, {...ask, query, needs: 'items'})
      const {items, metadata} = await page.catch(async (error: unknown) => {
        if (next === undefined || !isStatus(error, 410)) throw error
        all.length = 0 // the server has forgotten the place: all at once, as kubectl asks for it then
        return this.json<List<T>>('GET', path, {...ask, needs: 'items'})
      })
      all.push(items)
      next = metadata?.continue || undefined
      if (next === undefined) return {items: all.flat(), version: metadata?.resourceVersion ?? ''}
    }
    throw this.#noServer('GET', path, 'with a list that does not end')
  }

  #noServer(method: Method, path: string, why: string): UserError {
    return new UserError(`${this.access.server} is no Kubernetes API server: it answers ${method} ${path} ${why}`)
  }

  /** The body as it comes: a watch, a log. Rejects as `json`. */
  async open(method: Method, path: string, ask: Ask = {}): Promise<IncomingMessage> {
    return this.#patiently(ask, async () => this.#once(method, path, ask))
  }

  async #patiently<T>(ask: Ask, attempt: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    let hasNewCredentials = false
    for (let tries = 0; ; tries++) {
      ask.signal?.throwIfAborted()
      const elapsed = performance.now() - startedAt
      try {
        return await attempt()
      } catch (error) {
        if (isStatus(error, 401) && !hasNewCredentials) {
          hasNewCredentials = true
          this.access.forget()
          continue
        }
        ask.signal?.throwIfAborted()
        if (error instanceof StaleConnection) continue
        const fault = error instanceof ClusterError ? error : this.#unreachable(error)
        if (ask.patienceMs === -1 || elapsed >= this.#patienceMs(error, ask)) throw fault
        if (ask.patienceMs !== 0 && performance.now() > Math.max(startedAt + SAID_MS, this.#saidAt + BUSY_MS / 2)) {
          this.#saidAt = performance.now()
          this.onWait(`waiting for the API server, still trying: ${messageOf(fault)}`)
        }
        const isThere = fault instanceof ClusterError && !isAway(fault)
        const signals = [ask.signal, isThere ? undefined : this.#hurry.signal]
        const seconds = fault instanceof ClusterError ? fault.status.details?.retryAfterSeconds : undefined
        await pause(pauseMs(tries, seconds), AbortSignal.any(signals.filter(each => each !== undefined)))
      }
    }
  }

  /** How long to retry what has failed like this; 0 = not at all. */
  #patienceMs(error: unknown, {patienceMs = this.outageMs}: Ask): number {
    const isHurried = this.#hurry.signal.aborted
    if (error instanceof ClusterError) {
      if (!isAway(error)) return isBusy(error) ? BUSY_MS : 0
      return isHurried || (error.code === 500 && patienceMs === 0) ? 0 : BUSY_MS
    }
    if (error instanceof NoCredentials && !isHurried) return Math.min(patienceMs, BUSY_MS)
    return error instanceof UserError || isHurried ? 0 : patienceMs
  }

  /** From now on a server that cannot be reached is not asked again, and has little time for what it was asked. */
  hurry(): void {
    this.#hurry.abort()
    this.access.hurry()
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }

  async #once(
    method: Method,
    path: string,
    {query = {}, body: content, type, signal, waits = false}: Ask
  ): Promise<IncomingMessage> {
    const body = content === undefined ? '' : JSON.stringify(content)
    const url = new URL(this.access.server + path)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value))
    const options = await this.access.options()
    const isPlain = url.protocol === 'http:'
    const hasProxy = options.agent !== undefined && !/^Agent$/.test(options.agent.constructor.name)
    const agent = hasProxy ? options.agent : this.#agents[isPlain ? 'http' : 'https']
    const timeoutMs = waits ? 0 : this.#isKnown && !this.#hurry.signal.aborted ? ANSWER_MS : FIRST_ANSWER_MS
    const all = {...options, method, agent, signal, headers: headersOf(options, body, type)}
    const response = await this.#send(url, all, body, timeoutMs)
    this.#isKnown = true
    const code = response.statusCode ?? 0
    if (code < 400) return response
    throw new ClusterError(code, await statusOf(response), {method, path})
  }

  /** `timeoutMs`: 0 = none. */
  async #send(url: URL, options: RequestOptions, body: string, timeoutMs: number): Promise<IncomingMessage> {
    const {signal} = this.#hurry
    const request = url.protocol === 'http:' ? requestHttp : requestHttps
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let answer: IncomingMessage | undefined
      const wait = (ms: number): void => {
        clearTimeout(timer)
        timer = setTimeout(() => {
          sent.destroy()
          fail(silentFor(ms)) // `sent` says so only once a proxy has answered, or after its `timeout`
        }, ms)
      }
      const hurry = (): void => void (answer?.setTimeout(FIRST_ANSWER_MS) ?? wait(FIRST_ANSWER_MS))
      const settle = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', hurry)
      }
      const sent = request(url, {...options, timeout: timeoutMs || ANSWER_MS}, response => {
        clearTimeout(timer)
        answer = response.once('close', settle)
        const left = (): number => (signal.aborted ? FIRST_ANSWER_MS : timeoutMs)
        // of the body, too; a watch has a time of its own
        if (timeoutMs > 0) response.setTimeout(left(), () => response.destroy(silentFor(left())))
        resolve(response)
      })
      if (timeoutMs > 0) {
        wait(timeoutMs)
        signal.addEventListener('abort', hurry)
      }
      const fail = (error: Error): void => {
        settle()
        // the server has closed a connection that was idle
        reject(sent.reusedSocket && codeOf(error) === 'ECONNRESET' ? new StaleConnection() : error)
      }
      sent.on('error', fail)
      sent.on('socket', socket => socket.setKeepAlive(true, 30_000))
      sent.end(body)
    })
  }

  #unreachable(error: unknown): UserError {
    if (error instanceof UserError) return error
    const {server, context} = this.access
    const start = `cannot reach the API server of the Kubernetes context "${context}" at ${server}`
    return new UserError(`${start}: ${reasonOf(error)}`, {
      explanation: TLS_FAULT.test(codeOf(error))
        ? 'The certificate of the server and the authority in the kubeconfig do not belong together.'
        : 'Is the cluster running? Select another one with --context.',
      cause: error
    })
  }
}

const silentFor = (ms: number): Error => new Error(`no answer within ${ms / 1000} s`)

const TLS_FAULT = /CERT|SIGNATURE|^ERR_TLS/

function reasonOf(error: unknown): string {
  // every address was tried
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return messageOf(error) || codeOf(error)
}

/** What passes by itself: a proxy does not reach the server, another write came first (else it has causes, or another object has the name), or the server says when to come again. An eviction that a budget forbids is none: we ask for none. */
const isBusy = ({code, message, status: {reason, details = {}}}: ClusterError): boolean =>
  [429, 502, 503, 504].includes(code) ||
  (code === 409 && reason === 'Conflict' && details.causes === undefined && !/\bUID\b/i.test(message)) ||
  (code >= 500 && 'retryAfterSeconds' in details)

/** A proxy does not reach the server, or its store fails for a moment: what is asked or deleted, unlike what is applied, is no reason for it. */
const isAway = ({code, method, status: {details = {}}}: ClusterError): boolean =>
  code === 502 || code === 504 || (code === 500 && method !== 'PATCH' && !('retryAfterSeconds' in details))

const pauseMs = (tries: number, seconds = 0.25 * 2 ** tries): number =>
  Math.min(Math.max(seconds * 1000, MIN_PAUSE_MS), MAX_PAUSE_MS)

function headersOf({headers}: RequestOptions, body: string, type = 'application/json'): Record<string, string> {
  return {
    ...(headers as Record<string, string> | undefined),
    accept: 'application/json',
    'user-agent': 'pillion',
    // without a length Node sends the body of a DELETE as if it were the next request
    ...(body !== '' && {'content-type': type, 'content-length': Buffer.byteLength(body).toString()})
  }
}

async function statusOf(response: IncomingMessage): Promise<ClusterStatus> {
  const text = await bodyText(response, MAX_ERROR_BYTES).catch(() => '')
  const after = Number(response.headers['retry-after'])
  const seconds = Number.isFinite(after) ? {retryAfterSeconds: after} : {}
  const status = jsonIn(text)
  if (isObject(status)) return {...status, details: {...seconds, ...(status as ClusterStatus).details}}
  return {...(text.trim() !== '' && {message: text.trim().slice(0, 1000)}), details: seconds}
}

/** Reads a body. Rejects if it is longer than `maxBytes`. */
export async function bodyText(response: IncomingMessage, maxBytes: number): Promise<string> {
  try {
    return (await collect(response, maxBytes)).take().toString()
  } catch (error) {
    throw error instanceof UncollectedBody ? new UserError('the response of the API server is too large') : error
  }
}

/** Whether an answer has what is needed of it; each item of a list of objects has metadata, too. */
function has(answer: unknown, needs: NonNullable<Ask['needs']>): boolean {
  const value = (answer as Readonly<Record<string, unknown>> | null)?.[needs]
  if (needs === 'metadata') return isObject(value)
  return Array.isArray(value) && value.every(each => (needs === 'items' ? has(each, 'metadata') : isObject(each)))
}
