import type {AskedRun, RunIdentity} from '../../control/run-file.ts'
import {UserError} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import {askedRun} from './asked-run.ts'
import type {CommandContext} from './command-handler.ts'
import type {SecondUp} from './second-run.ts'

/** Describes the differences between a run and this command line. The template is read only if the flags are equal. A command can use a run that reloads on save. */
export async function changesFor(
  call: CommandContext,
  {asked}: RunIdentity,
  how: SecondUp
): Promise<readonly string[]> {
  const watch = how === 'use' && asked?.flags.includes('--watch') === true ? ['--watch'] : []
  const wanted = (plan?: Plan): AskedRun => {
    const own = askedRun(call, plan)
    return {...own, flags: [...own.flags.filter(flag => !flag.startsWith('--run=')), ...watch]}
  }
  const ofFlags = differences(asked, wanted())
  if (ofFlags.length > 0 || asked?.parts === undefined) return ofFlags
  const {loadedTemplate} = await import('./commands/run-template.ts')
  try {
    return differences(asked, wanted((await loadedTemplate(call)).plan))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return [`the template has a mistake: ${error.message}`]
  }
}

/**
 * Describes the differences between a run and another command line: flags, or else the template. Returns an empty list
 * for the same run. Ignores facts that either side does not know.
 */
export function differences(run: AskedRun | undefined, wanted: AskedRun): readonly string[] {
  if (run === undefined) return []
  const flags = changesOf(run.flags, wanted.flags)
  if (flags.came.length + flags.gone.length > 0)
    return [...flags.came.map(flag => `it runs without ${flag}`), ...flags.gone.map(flag => `it runs with ${flag}`)]
  const [before, after] = [run.parts, wanted.parts]
  // it applies edits by itself
  if (before === undefined || after === undefined || run.flags.includes('--watch')) return []
  const {came, gone} = changesOf(Object.keys(before), Object.keys(after))
  const edited = Object.keys(after).filter(key => key in before && before[key] !== after[key])
  return [
    ...came.map(key => `the template adds ${key}`),
    ...gone.map(key => `the template has no ${key} any more`),
    ...edited.map(key => `the template changes ${key}`)
  ]
}

const changesOf = (
  before: readonly string[],
  after: readonly string[]
): {readonly came: readonly string[]; readonly gone: readonly string[]} => ({
  came: after.filter(each => !before.includes(each)),
  gone: before.filter(each => !after.includes(each))
})
