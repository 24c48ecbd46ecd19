import {ApiClient, ApiError, type Incoming, type Outgoing} from '../../src/control/api-client.ts'
import {takeToken} from './token.ts'

const {token, isReadOnly} = takeToken()

/** The page was opened with `--read-only`: it shows nothing that changes the run. */
export const mayChange = !isReadOnly
export const hasToken = token !== ''

/** An answer of the run, with the browser's own response for what needs its headers or a file of it. */
interface PageAnswer extends Incoming {
  readonly response: Response
}

/**
 * How long a request waits for the head of its answer. A browser that has no connection left for it would send it much later, when
 * it is no longer needed.
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
      ...(body !== '' && {'content-type': 'application/json'})
    },
    ...(typeof body === 'string' && body !== '' && {body}),
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
  })
  const response = await answered.finally(() => clearTimeout(limit))
  return {status: response.status, body: piecesOf(response), response}
}

/** The body as it arrives. Not every browser can iterate over a ReadableStream. */
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

/** The API of the run that serves this page. Its methods throw what `problemOf` reads. */
export const api = new ApiClient(send)

/** What the API reports, or that the run did not answer (status 0). */
export const problemOf = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError({status: 0, detail: 'the run does not answer', hint: 'It may have ended.'})

/** What is shown after a request has failed: what was shown before of the same thing if the run does not answer, else what is wrong. */
export const keptOr =
  <T extends object>(error: unknown, isSame: (before: T) => boolean = () => true) =>
  (before: T | string | undefined): T | string =>
    problemOf(error).status === 0 && typeof before === 'object' && isSame(before) ? before : problemText(error)

/** The message of a problem, with what to do about it. */
export function problemText(error: unknown): string {
  const {message, explanation} = problemOf(error)
  return explanation === '' ? message : `${message}. ${explanation}`
}
