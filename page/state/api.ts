import {ApiClient, ApiError, type Incoming, type Outgoing} from '../../src/control/api-client.ts'
import {takeToken} from './token.ts'

const {token, isReadOnly} = takeToken()

/** The run that the page shows, from its events. The next run does not answer its requests, since its calls and lines have the same numbers. */
let shown = ''
export const showsRun = (run: string): void => void (shown = run)

/** Whether the page may change the run: false if it was opened with `--read-only`. */
export const mayChange = !isReadOnly
export const hasToken = token !== ''

/** A response of the run, with the browser's own Response for its headers or to save it as a file. */
interface PageAnswer extends Incoming {
  readonly response: Response
}

/**
 * How long a request waits for the response headers, in s. A browser without a free connection would send it much later, when it is no
 * longer needed.
 */
const LIMIT_S = 120

async function send({method, path, body, accept, signal}: Outgoing): Promise<PageAnswer> {
  const late = new AbortController()
  const detail = `the run has not answered for ${LIMIT_S} s`
  const problem = new ApiError({status: 0, detail, hint: 'Close other tabs of this page.'})
  const limit = setTimeout(() => late.abort(problem), LIMIT_S * 1000)
  const answered = fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(accept !== undefined && {accept}),
      ...(shown !== '' && !path.startsWith('/api/v1/events?') && {'pillion-run': shown}),
      ...(body !== '' && {'content-type': 'application/json'})
    },
    ...(typeof body === 'string' && body && {body}),
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
  })
  const response = await answered.finally(() => clearTimeout(limit))
  return {status: response.status, body: piecesOf(response), response}
}

/** Yields the body as it arrives; not every browser can iterate over a ReadableStream. */
async function* piecesOf({body}: Response): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const {value, done} = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined) // the connection is closed already
  }
}

/** The client of the API of the run that serves this page; `problemOf` reads the errors that it throws. */
export const api = new ApiClient(send)

/** Returns the problem that the API reports, or one with status 0 if the run does not answer: another one may (412). */
export const problemOf = (error: unknown): ApiError =>
  error instanceof ApiError && error.status !== 412
    ? error
    : new ApiError({status: 0, detail: 'the run does not answer', hint: 'It may have ended.'})

/** Returns a state updater for a failed request: keeps a value that `isSame` if the run does not answer, else sets the problem's text. */
export const keptOr =
  <T extends object>(error: unknown, isSame: (before: T) => boolean = () => true) =>
  (before: T | string | undefined): T | string =>
    problemOf(error).status === 0 && typeof before === 'object' && isSame(before) ? before : problemText(error)

/** Returns the message of a problem, with the explanation of what to do about it. */
export function problemText(error: unknown): string {
  const {message, explanation} = problemOf(error)
  return explanation === '' ? message : `${message}. ${explanation}`
}
