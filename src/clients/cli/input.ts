import {Readable} from 'node:stream'
import {UserError} from '../../model/errors.ts'
import {isForeground} from '../../platform/key-mode.ts'

/**
 * Returns our stdin for an app that runs alone. A terminal is read only while our process group is in the foreground: the system
 * stops a background job that reads, and all sidecars would stop with it. A shell sends SIGCONT on `fg` and `bg`; then we
 * check again.
 */
export function openInput(): Readable {
  const {stdin} = process
  if (!stdin.isTTY) return stdin
  const turns = new Readable({read: () => undefined})
  const look = (): void => {
    if (isForeground()) stdin.resume()
    else stdin.pause()
  }
  stdin.on('data', chunk => {
    turns.push(chunk)
    look()
  })
  stdin.on('end', () => turns.push(null))
  process.on('SIGCONT', look)
  look()
  return turns
}

/** Asks the person at the terminal whether to continue. `isAgreed`: `--yes` was given. Throws a UserError without a terminal, or for any answer but yes. */
export async function confirm(what: string, isAgreed = false): Promise<void> {
  if (isAgreed) return
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UserError(`this would ${what}`, {explanation: '--yes agrees to it.', code: 'agree'})
  const {createInterface} = await import('node:readline/promises')
  const asker = createInterface({input: process.stdin, output: process.stdout})
  // Ctrl-C and Ctrl-D count as no
  const answer = await asker.question(`This will ${what}. Continue? [y/N] `).catch(() => '\n')
  asker.close()
  if (answer === '\n') process.stdout.write(answer)
  if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done')
}
