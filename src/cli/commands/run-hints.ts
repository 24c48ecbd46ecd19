import {placedText} from '../../config/hints.ts'
import type {Loaded} from '../../config/load.ts'
import type {Plan} from '../../model/plan.ts'
import type {Hint} from '../../run/run-options.ts'

/** Findings that `run` prints, too; only `validate` prints the others. */
const PRINTED = [
  'unknown-key',
  'ignored-key',
  'odd-app-id',
  'duplicate-app-id',
  'duplicate-app-port',
  'no-shell',
  'unset-variable'
] as const

/** What `run` warns about when the start lines are out, one line each. `plan`: the apps that are started. */
export function runHints({hints}: Loaded, plan: Plan): readonly Hint[] {
  const mistakes = hints().flatMap(finding => {
    const code = PRINTED.find(each => each === finding.code)
    return code === undefined ? [] : [{code, text: placedText(finding)}]
  })
  return [...mistakes, ...selfReloaders(plan)]
}

function selfReloaders({apps}: Plan): readonly Hint[] {
  const byId = new Map(apps.map(({id, reloadsItself}) => [id, reloadsItself]))
  const named = [...byId].flatMap(([id, program]) => (program === '' ? [] : [`"${id}" (${program})`]))
  if (named.length === 0) return []
  const what = named.length === 1 ? 'it reloads itself' : 'they reload themselves'
  const text = `--watch leaves out ${named.join(', ')}: ${what}. To watch anyway, write watch: true in the template`
  return [{code: 'app-reloads-itself', text}]
}
