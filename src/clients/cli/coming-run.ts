import {existsSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {runSockets} from '../../control/ask.ts'
import {findRuns, type FoundRun} from '../../control/client.ts'
import type {GivenFlags} from './given-flags.ts'
import {commandPlace} from './pick-run.ts'
import {RunFinder, runsHere} from './run-here.ts'
import {say} from './say.ts'

const LOOK_MS = 25
/** How often a run that is there and has not answered, as one that is suspended, is asked again. */
const ASK_AGAIN_MS = 1000

/**
 * Finds the run of a command, and waits for it. Resolves with undefined after the timeout. Throws a UserError
 * if there are several.
 */
export async function comingRun(flags: GivenFlags, asJson: boolean, timeoutMs: number): Promise<FoundRun | undefined> {
  const until = performance.now() + timeoutMs
  const place = commandPlace(flags)
  const tell = (text: string): void => say(process.stderr, 'info', text, asJson)
  const meant = (runs: readonly FoundRun[]): FoundRun | undefined => new RunFinder(runs, place, tell).look()
  let sockets = await socketsNow()
  let found = meant(await runsHere(asJson))
  let askedAt = performance.now()
  while (found === undefined && performance.now() < until) {
    await pause(LOOK_MS)
    const before = sockets
    sockets = await socketsNow()
    if (sockets === before && (sockets === '' || performance.now() - askedAt < ASK_AGAIN_MS)) continue
    found = meant(await findRuns(process.env))
    askedAt = performance.now()
  }
  return found
}

/** The runs there are, whether they respond or not. */
async function socketsNow(): Promise<string> {
  const paths = (await runSockets(process.env)).map(({path}) => path)
  return paths.filter(path => existsSync(path)).join()
}
