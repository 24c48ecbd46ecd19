import type {PooledProcess} from '../net/pool.ts'
import {within} from '../../platform/delay.ts'

/** The exit of a process is noticed shortly after its connections have closed. */
const EXIT_TIMEOUT_MS = 250
/** Time after the leader's exit to end the rest of the group, and to read the last lines, in ms. */
const END_TIMEOUT_MS = 2000

/** Returns how the process behind a closed connection ended; '' if it probably still runs. */
export async function howEnded({ended, isEnding}: PooledProcess): Promise<string> {
  const how = await within(EXIT_TIMEOUT_MS, ended)
  return how ?? (isEnding() ? await within(END_TIMEOUT_MS, ended) : undefined) ?? ''
}
