import {UserError} from '../model/errors.ts'
import {nearMiss} from '../model/near-miss.ts'
import type {Section, Template} from './decode.ts'
import {explain, placed, type Mistake, type Source} from './diagnose.ts'
import {isNull} from './nodes.ts'
import {APP_KEYS, OUR_APP_KEYS, OUR_SHARED_KEYS, OUR_TOP_KEYS, SHARED_KEYS, TOP_KEYS} from './keys.ts'

const TOP = [...Object.keys(TOP_KEYS), 'common', 'apps', ...OUR_TOP_KEYS]
const SHARED = [...Object.keys(SHARED_KEYS), ...OUR_SHARED_KEYS]
const APP = [...Object.keys(APP_KEYS), ...OUR_APP_KEYS]

/** Keys from Dapr's documentation that its code does not know, and those that it knows. */
const DOCUMENTED = new Map([
  ['daprHTTPMaxRequestSize', 'maxBodySize'],
  ['daprHTTPReadBufferSize', 'readBufferSize']
])

/** Keys that are read and have no effect. */
const WITHOUT_EFFECT = new Map([
  ['enableProfiling', 'there is no profiling server'],
  ['profilePort', 'there is no profiling server'],
  ['placementHostAddress', 'there are no actors'],
  ['schedulerHostAddress', 'there are no jobs']
])

/** Keys that are unknown, duplicate or without effect. */
export function wrongKeys({top, common, apps}: Template): readonly Mistake[] {
  return [...keysIn(top, TOP), ...keysIn(common, SHARED), ...apps.flatMap(app => keysIn(app, APP))]
}

function keysIn(section: Section<object>, known: readonly string[]): readonly Mistake[] {
  const pairs = [...section.pairs.values()]
  const unknown = pairs.flatMap((pair, index) => {
    const {name, key} = pair
    if (known.includes(name) || name.startsWith('x-')) return []
    const mistake = {...unknownKey(name, known), spot: key}
    const before = pairs[index - 1]
    return mistake.hint === '' && before !== undefined && known.includes(before.name) && isNull(before.node)
      ? [{...mistake, hint: `if it belongs to ${before.name}, indent it below that`}]
      : [mistake]
  })
  const repeated = section.repeated.map(({name, key}): Mistake => ({
    code: 'duplicate-key',
    message: `duplicate key ${name}: the last one counts`,
    spot: key
  }))
  const useless = [...section.pairs.values()].flatMap(({name, key}): readonly Mistake[] => {
    const why = WITHOUT_EFFECT.get(name)
    return why === undefined ? [] : [{code: 'no-effect', message: `${name} has no effect: ${why}`, spot: key}]
  })
  return [...unknown, ...useless, ...repeated]
}

function unknownKey(name: string, known: readonly string[]): Omit<Mistake, 'spot'> {
  const documented = DOCUMENTED.get(name)
  if (documented !== undefined)
    return {
      code: 'ignored-key',
      message: `${name} is ignored, although Dapr's documentation lists it`,
      hint: `did you mean ${documented}?`
    }
  if (known === SHARED && APP.includes(name))
    return {code: 'ignored-key', message: `${name} is ignored in common`, hint: 'write it in each app'}
  const near = nearMiss(name, known)
  return {
    code: 'unknown-key',
    message: `${name} is ignored: unknown key`,
    hint: near === '' ? '' : `did you mean ${near}?`
  }
}

/** The error for a template without apps; `app:` may stand in the place of `apps:`. */
export function noApps(template: Template, source: Source): UserError {
  const mistakes = wrongKeys(template).filter(({hint}) => hint === 'did you mean apps?')
  return new UserError('No apps to run', {
    stream: 'stdout',
    code: 'no-apps',
    mistakes: mistakes.map(mistake => placed(source, mistake)),
    explanation: mistakes.map(mistake => explain(source, mistake)).join('\n')
  })
}
