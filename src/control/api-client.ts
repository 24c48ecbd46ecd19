// The client of a run's API, for the command line, mcp and the page: they differ in how a request gets to the run.
import type {Answers, Lines, Problem} from '../model/api.generated.ts'
import {UserError} from '../model/errors.ts'
import type {HintCode} from '../model/hint-code.ts'
import {orElse} from '../model/or-else.ts'
import {exactText} from '../model/exact-json.ts'

/** A route of `schema/api.yaml`: its method and its path. */
export type Route = keyof Answers

/** The names in braces in a route. */
type NamesIn<R extends string> = R extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never

type Query = Readonly<Record<string, string | number>> | URLSearchParams

/** The path parameters, query and body of a request. */
export type Asked<R extends Route> = {
  readonly query?: Query
  readonly body?: object
  /** A body other than JSON. */
  readonly bytes?: Uint8Array
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
  /** For `follow`: whether it is an error that the run ends before the response. */
  readonly isWhole?: boolean
} & ([NamesIn<R>] extends [never] ? unknown : {readonly at: Readonly<Record<NamesIn<R>, string | number>>})

/** Arguments after the route. A route without path parameters needs none. */
export type AskedArguments<R extends Route> = [NamesIn<R>] extends [never] ? [asked?: Asked<R>] : [asked: Asked<R>]

/** A request as `Send` gets it. */
export interface Outgoing {
  readonly method: string
  /** Path and query, beginning with `/api/v1`. */
  readonly path: string
  /** JSON, or bytes; '': none. */
  readonly body: string | Uint8Array
  readonly accept: string | undefined
  readonly signal: AbortSignal | undefined
}

/** The status of a response, and its body as it arrives. */
export interface Incoming {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array>
}

/** Sends a request. Settles when the head of the response has arrived. */
export type Send<I extends Incoming> = (request: Outgoing) => Promise<I>

/** An error that the API reports. */
export class ApiError extends UserError {
  readonly status: number
  /** The reason alone, without the name of the app. */
  readonly reason: string

  constructor({status, detail, hint = '', code, reason = detail}: Problem) {
    super(detail, {explanation: hint, code: code as HintCode | undefined})
    this.status = status
    this.reason = reason
  }
}

/** Sends requests to one run. All methods throw an ApiError for a problem that the API reports, and pass on errors of `send`. */
export class ApiClient<I extends Incoming = Incoming> {
  readonly #send: Send<I>

  constructor(send: Send<I>) {
    this.#send = send
  }

  /** Returns the parsed JSON of a response. */
  async ask<R extends Route>(route: R, ...[asked]: AskedArguments<R>): Promise<Answers[R]> {
    return JSON.parse(await this.text(route, asked)) as Answers[R]
  }

  async text<R extends Route>(route: R, asked?: Asked<R>): Promise<string> {
    const {body} = await this.open(route, asked)
    return textOf(body)
  }

  /** Sends a request. Returns the response once its head has arrived; the caller reads the body. */
  async open<R extends Route>(route: R, asked?: Asked<R>): Promise<I> {
    const answer = await this.#send(outgoing(route, asked))
    if (answer.status === 200) return answer
    throw new ApiError(problemIn(answer.status, await textOf(answer.body)))
  }

  /**
   * Yields the objects of an answer in NDJSON as they arrive, until the answer ends. Unless `isWhole`, the end of the run is no error.
   * No object since the promise resolved is missed.
   */
  async follow<R extends keyof Lines>(route: R, asked?: Asked<R>): Promise<AsyncGenerator<Lines[R], void>> {
    const {body} = await this.open(route, {...asked, accept: 'application/x-ndjson'} as Asked<R>)
    return objectsOf<Lines[R]>(body, asked?.isWhole === true)
  }
}

async function* objectsOf<T>(body: AsyncIterable<Uint8Array>, isWhole: boolean): AsyncGenerator<T, void> {
  try {
    for await (const line of textLines(body)) if (line !== '') yield JSON.parse(line) as T
  } catch (error) {
    if (isWhole) throw error // else the run has ended
  }
}

function outgoing<R extends Route>(route: R, asked: Asked<R> | undefined): Outgoing {
  const {at = {}, query, body, bytes, accept, signal} = (asked ?? {}) as Partial<Asked<'GET /apps/{id}'>>
  const [method = '', template = ''] = route.split(' ')
  const values: Readonly<Record<string, string | number>> = at
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  return {
    method,
    path: `/api/v1${path}${queryText(query)}`,
    body: bytes ?? (body === undefined ? '' : exactText(body)),
    accept,
    signal
  }
}

function queryText(query: Query = {}): string {
  const parameters = query instanceof URLSearchParams ? query : new URLSearchParams()
  if (parameters !== query) for (const [name, value] of Object.entries(query)) parameters.set(name, String(value))
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

const problemIn = (status: number, text: string): Problem =>
  orElse(() => JSON.parse(text) as Problem, {status, detail: text || `the run has answered ${status}`})

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body) text += decoder.decode(bytes, {stream: true})
  return text + decoder.decode()
}

/** Yields the lines of a body as they arrive. Drops a last line without a newline. */
export async function* textLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const text = decoder.decode(bytes, {stream: true})
    const end = text.lastIndexOf('\n')
    if (end >= 0) yield* (rest + text.slice(0, end)).split('\n')
    rest = end < 0 ? rest + text : text.slice(end + 1)
  }
}
