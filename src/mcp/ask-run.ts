import type {FoundRun} from '../control/client.ts'
import {responseBody} from '../control/response-body.ts'

/** Asks the API of a run, and parses its answer. Throws a UserError with the problem that it reports. */
export async function askRun<T>(run: FoundRun, path: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await responseBody(await run.api(path, {method: 'GET', body: '', signal}))) as T
}

/** Sends a request that changes something; the result is the text of the answer. Throws a UserError as above. */
export async function tellRun(
  run: FoundRun,
  method: 'POST' | 'DELETE',
  path: string,
  {body, signal}: {body?: object; signal?: AbortSignal} = {}
): Promise<string> {
  const text = body === undefined ? '' : JSON.stringify(body)
  return responseBody(await run.api(path, {method, body: text, signal}))
}

export const path = (...segments: readonly string[]): string =>
  segments.map(segment => `/${encodeURIComponent(segment)}`).join('')

export const query = (values: Readonly<Record<string, string>>): string => `?${new URLSearchParams(values).toString()}`

/** `0.4 ms`, `18 ms`, `2.3 s`. */
export const duration = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${Math.round(ms).toString()} ms` : `${(ms / 1000).toFixed(1)} s`
}
