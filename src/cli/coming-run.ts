import {existsSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {findTemplate} from '../config/find.ts'
import {runSockets} from '../control/ask.ts'
import {findRuns, type FoundRun} from '../control/client.ts'
import {UserError} from '../model/errors.ts'
import {nameOf, runsHere, templateHere} from './pick-run.ts'

const LOOK_MS = 25

/**
 * The run of the named template, or of the one in this folder; where that does not run yet, it is waited for. In a folder without a
 * template: the only run. Undefined: the time is up. Throws a UserError where there are several.
 */
export async function comingRun(
  runFile: string | undefined,
  asJson: boolean,
  timeoutMs: number
): Promise<FoundRun | undefined> {
  const until = performance.now() + timeoutMs
  const template = runFile === undefined ? templateHere() : findTemplate(runFile, process.cwd()).file
  const isNamed = runFile !== undefined || existsSync(template)
  const meant = (runs: readonly FoundRun[]): FoundRun | undefined => {
    const own = runs.filter(({listing}) => listing.templateFile === template)
    const [run, ...others] = own.length > 0 || isNamed ? own : runs
    if (others.length === 0) return run
    const names = [run, ...others].flatMap(each => (each === undefined ? [] : nameOf(each.listing)))
    throw new UserError(`there are several runs: ${names.join(', ')}`, {
      explanation: 'Select one with --run-file PATH.'
    })
  }
  let sockets = await socketsNow()
  let found = meant(await runsHere(asJson))
  while (found === undefined && performance.now() < until) {
    await pause(LOOK_MS)
    const before = sockets
    sockets = await socketsNow()
    if (sockets !== before) found = meant(await findRuns(process.env))
  }
  return found
}

/** The runs there are, whether they respond or not. */
async function socketsNow(): Promise<string> {
  const all = await runSockets(process.env)
  return all
    .filter(({path}) => existsSync(path))
    .map(({path}) => path)
    .join()
}
