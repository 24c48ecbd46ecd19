import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {pacedCaller} from './tools.ts'

/** Times of calls, in µs, each from the moment at which it was due. */
export type Paced = Readonly<Record<'requests' | 'failed' | 'p50' | 'p99' | 'p999' | 'max', number>>

/** Calls a URL so many times a second, whether earlier calls were answered or not. Throws when a call failed. */
export async function paced(url: string, perSecond: number, seconds: number): Promise<Paced> {
  const args = [url, perSecond.toString(), Math.max(1, Math.round(seconds)).toString()]
  const {stdout} = await promisify(execFile)(await pacedCaller(), args)
  const told = JSON.parse(stdout) as Paced
  if (told.failed > 0) throw new Error(`${told.failed} of ${told.requests} calls failed`)
  return told
}
