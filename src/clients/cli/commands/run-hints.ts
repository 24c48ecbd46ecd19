import {placedText} from '../../../files/config/hints.ts'
import type {Loaded} from '../../../files/config/load.ts'
import type {Plan} from '../../../model/plan.ts'
import type {Hint} from '../../../model/reporter.ts'
import {maxDescriptors} from '../../../platform/spare-descriptors.ts'
import {words} from '../../../model/words.ts'

/** Findings that `run` prints, too; only `validate` prints the others. */
const PRINTED = [
  ...words('unknown-key ignored-key duplicate-key command-not-found odd-app-id duplicate-app-id'),
  ...words('duplicate-app-port no-shell unset-variable unread-line')
] as const

/** Returns the warnings of `run` after the start lines, one line each. `plan`: the apps that are started. */
export function runHints({hints}: Loaded, plan: Plan): readonly Hint[] {
  const mistakes = hints().flatMap(finding => {
    const code = PRINTED.find(each => each === finding.code)
    return code === undefined ? [] : [{code, text: placedText(finding)}]
  })
  return [...mistakes, ...selfReloaders(plan), ...fewDescriptors(plan)]
}

/** File descriptors to allow: for a run, which opens about forty, and for each app with its ports, logs, pipes and connections. */
const DESCRIPTORS = {run: 64, app: 16} as const

/** Warns if the limit of open files is too low: new connections would be closed at once, and callers would only see a reset. */
export function fewDescriptors({apps}: Pick<Plan, 'apps'>, limit = maxDescriptors()): readonly Hint[] {
  const wanted = DESCRIPTORS.run + DESCRIPTORS.app * apps.length
  if (limit >= wanted) return []
  const text = `a run may have ${limit} files and connections open here, too few for ${apps.length} ${apps.length === 1 ? 'app' : 'apps'}: connections may be reset. Raise the limit to ${wanted} or more: ulimit -n ${wanted}`
  return [{code: 'few-descriptors', text}]
}

/** Returns a function that returns only the warnings that the previous reading of the template did not give. */
export function newOnes(): (hints: readonly Hint[]) => readonly Hint[] {
  let last = new Set<string>()
  return hints => {
    const fresh = hints.filter(({text}) => !last.has(wordsOf(text)))
    last = new Set(hints.map(({text}) => wordsOf(text)))
    return fresh
  }
}

/** Removes places: a warning about a line that has moved is not new. */
const wordsOf = (text: string): string => text.replace(/:\d+:\d+: /, ': ')

function selfReloaders({apps}: Plan): readonly Hint[] {
  const byId = new Map(apps.map(({id, reloadsItself}) => [id, reloadsItself]))
  const named = [...byId].flatMap(([id, program]) => (program === '' ? [] : [`"${id}" (${program})`]))
  if (named.length === 0) return []
  const what = named.length === 1 ? 'it reloads itself' : 'they reload themselves'
  const text = `--watch leaves out ${named.join(', ')}: ${what}. To watch anyway, write watch: true in the template`
  return [{code: 'app-reloads-itself', text}]
}
