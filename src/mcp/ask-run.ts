import type {IncomingMessage} from 'node:http'
import type {FoundRun} from '../control/client.ts'
import {UserError} from '../model/errors.ts'

/** A request to the API of a run. Throws a UserError with what it says is wrong. */
export async function askRun<T>(run: FoundRun, path: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await bodyOf(await run.api(path, {method: 'GET', body: '', signal}))) as T
}

/** The same for one that changes something. */
export async function tellRun(
  run: FoundRun,
  method: 'POST' | 'DELETE',
  path: string,
  {body, signal}: {body?: object; signal?: AbortSignal} = {}
): Promise<string> {
  const text = body === undefined ? '' : JSON.stringify(body)
  return bodyOf(await run.api(path, {method, body: text, signal}))
}

export async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const piece of response) body += piece as string
  if (response.statusCode === 200) return body
  const {detail, hint = ''} = JSON.parse(body) as {detail: string; hint?: string}
  throw new UserError(detail, {explanation: hint})
}

export const path = (...segments: readonly string[]): string =>
  segments.map(segment => `/${encodeURIComponent(segment)}`).join('')

export const query = (values: Readonly<Record<string, string>>): string => `?${new URLSearchParams(values).toString()}`

/** `0.4 ms`, `18 ms`, `2.3 s`. */
export const duration = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${Math.round(ms).toString()} ms` : `${(ms / 1000).toFixed(1)} s`
}
