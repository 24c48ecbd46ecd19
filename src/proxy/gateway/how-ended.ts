import type {PooledProcess} from '../net/pool.ts'
import {within} from '../../platform/delay.ts'

/** The exit of a process is noticed shortly after its connections have closed. */
const EXIT_TIMEOUT_MS = 250
/** Time after that to end the rest of it, and to read its last lines. */
const END_TIMEOUT_MS = 2000

/** How the process behind a closed connection ended; '' if it is still running, as far as we know. */
export async function howEnded({ended, isEnding}: PooledProcess): Promise<string> {
  const how = await within(EXIT_TIMEOUT_MS, ended)
  return how ?? (isEnding() ? await within(END_TIMEOUT_MS, ended) : undefined) ?? ''
}
