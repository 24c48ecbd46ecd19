import {pause} from '../platform/delay.ts'

/** The exit of a process is noticed shortly after its connections have closed. */
const EXIT_TIMEOUT_MS = 250

/** How the process behind a connection ended that has just closed; '' = it goes on, as far as is known. */
export async function howEnded(ended: Promise<string>): Promise<string> {
  const waiting = new AbortController()
  const how = await Promise.race([ended, pause(EXIT_TIMEOUT_MS, waiting.signal).then(() => '')])
  waiting.abort()
  return how
}
