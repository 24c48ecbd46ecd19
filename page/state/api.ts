import {takeToken} from './token.ts'

const {token, isReadOnly} = takeToken()

/** The page was opened with `--read-only`: it shows nothing that changes the run. */
export const mayChange = !isReadOnly
export const hasToken = token !== ''

/** An answer of the API that says what is wrong. */
export class Problem extends Error {
  readonly status: number
  readonly hint: string

  constructor(status: number, detail: string, hint = '') {
    super(detail)
    this.status = status
    this.hint = hint
  }
}

/** `Problem` for what was thrown: also when the run did not answer. */
export const problemOf = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, 'the run does not answer', 'It may have ended.')

interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: object
  readonly accept?: string
  readonly signal?: AbortSignal
}

/** The response of the API to a request below `/api/v1`. Throws a Problem if it is not 200. */
export async function request(path: string, {method = 'GET', body, accept, signal}: Asking = {}): Promise<Response> {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(accept !== undefined && {accept}),
      ...(body !== undefined && {'content-type': 'application/json'})
    },
    ...(body !== undefined && {body: JSON.stringify(body)}),
    ...(signal !== undefined && {signal})
  })
  if (response.ok) return response
  const {detail = response.statusText, hint = ''} = (await response.json().catch(() => ({}))) as {
    readonly detail?: string
    readonly hint?: string
  }
  throw new Problem(response.status, detail, hint)
}

/** The JSON of the API. Throws a Problem. */
export const ask = async <T>(path: string, asking: Asking = {}): Promise<T> =>
  (await (await request(path, asking)).json()) as T
