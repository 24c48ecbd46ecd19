import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {promisify} from 'node:util'

const execute = promisify(execFile)

export interface LoadOptions {
  readonly url: string
  /** Address of the URL's host, where the system does not know it. */
  readonly address?: string
  readonly connections: number
  readonly seconds: number
  /** Stop calling after so many answers; the seconds go on. */
  readonly calls?: number
  /** Default: POST. */
  readonly method?: string
  /** Default: 13 bytes of JSON. */
  readonly body?: string
  /** `{n}` in the URL and the body is a number up to this, another in each call. */
  readonly keys?: number
}

export interface Load {
  readonly requests: number
  readonly perSecond: number
  /** Median of an answer's time, in µs. */
  readonly p50: number
}

/** Calls a URL with wrk as fast as it answers. Throws when a call failed or was not answered with 2xx or 3xx. */
export async function load({
  url,
  address,
  connections,
  seconds,
  calls,
  method,
  body,
  keys
}: LoadOptions): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', join(import.meta.dirname, 'load.lua'), url]
  const env = {
    ...process.env,
    ...(address !== undefined && {ADDRESS: address}),
    ...(calls !== undefined && {CALLS: calls.toString()}),
    ...(method !== undefined && {METHOD: method}),
    ...(body !== undefined && {BODY: body}),
    ...(keys !== undefined && {KEYS: keys.toString()})
  }
  const {stdout} = await execute('wrk', args, {env})
  const told = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1)) as Record<
    'requests' | 'micros' | 'failed' | 'p50',
    number
  >
  if (told.failed > 0 || told.requests === 0)
    throw new Error(`${told.failed} of ${told.requests} calls of ${url} failed`)
  return {requests: told.requests, perSecond: (told.requests * 1e6) / told.micros, p50: told.p50}
}

/** Calls a URL until it has answered so many times. */
export async function loadCounted(target: Pick<LoadOptions, 'url' | 'connections'>, calls: number): Promise<void> {
  for (let left = calls; left > 0;) left -= (await load({...target, seconds: 1, calls: left})).requests
}
