import {nearMiss} from '../model/near-miss.ts'
import type {Section, Template} from './decode.ts'
import {explain, MAX_MISTAKES, placed, templateError, type Mistake, type Source, type Spot} from './diagnose.ts'
import {APP_KEYS, OUR_APP_KEYS, OUR_SHARED_KEYS, OUR_TOP_KEYS, SHARED_KEYS, TOP_KEYS} from './keys.ts'
import type {Pair} from './nodes.ts'
import type {PlacedMistake} from '../model/errors.ts'
import {validators} from './schema.generated.js'

/** Something in a template that `run` passes over in silence, as Dapr does; `validate` names it. */
export interface Finding extends PlacedMistake {
  /** Place, line, carets and what to write, ready to print. */
  readonly explanation: string
}

type Fault = NonNullable<(typeof validators.watch)['errors']>[number]
type OurKey = keyof typeof validators

const isOurs = (key: string): key is OurKey => Object.hasOwn(validators, key)

const TOP = [...Object.keys(TOP_KEYS), 'common', 'apps', ...OUR_TOP_KEYS]
const SHARED = [...Object.keys(SHARED_KEYS), ...OUR_SHARED_KEYS]
const APP = [...Object.keys(APP_KEYS), ...OUR_APP_KEYS]

/** Keys of Dapr's documentation that its code does not know, with those that it does. */
const DOCUMENTED = new Map([
  ['daprHTTPMaxRequestSize', 'maxBodySize'],
  ['daprHTTPReadBufferSize', 'readBufferSize']
])

/** Keys that are read and lead to nothing here. */
const WITHOUT_EFFECT = new Map([
  ['enableProfiling', 'there is no profiling server'],
  ['profilePort', 'there is no profiling server'],
  ['placementHostAddress', 'there are no actors'],
  ['schedulerHostAddress', 'there are no jobs']
])

/** Holds the values of our keys against `schema/template.json`; Dapr's keys have been read by Dapr's rules already. */
export function checkOurKeys(template: Template, source: Source): void {
  const sections: readonly Section<object>[] = [template.top, template.common, ...template.apps]
  const mistakes = sections.flatMap(section =>
    Object.entries(section.values).flatMap(([key, value]) => {
      const pair = section.pairs.get(key)
      if (pair === undefined || !isOurs(key) || validators[key](value)) return []
      return withoutEchoes(validators[key].errors ?? [])
        .slice(0, MAX_MISTAKES)
        .map(fault => mistakeOf(template, pair, fault))
    })
  )
  const [first, ...others] = mistakes.toSorted((a, b) => a.spot.start - b.spot.start).slice(0, MAX_MISTAKES)
  if (first !== undefined) throw templateError(source, first, others)
}

/** One fault for each place: the deepest says best what is wrong. */
function withoutEchoes(faults: readonly Fault[]): readonly Fault[] {
  const byPlace = new Map<string, Fault>()
  for (const fault of faults) {
    const place = `${fault.instancePath} ${String(fault.params['additionalProperty'] ?? '')}`
    if (!byPlace.has(place)) byPlace.set(place, fault)
  }
  return [...byPlace.values()]
}

function mistakeOf(template: Template, pair: Pair, {instancePath, params, parentSchema, message}: Fault): Mistake {
  const path = instancePath
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const name = [pair.name, ...path].join('.')
  const expected = String(parentSchema?.['errorMessage'] ?? message)
  const unknown: unknown = params['additionalProperty']
  if (typeof unknown !== 'string')
    return {message: `wrong value of ${name}`, spot: template.within(pair, path).value, expected}
  const near = nearMiss(unknown, Object.keys((parentSchema?.['properties'] as object | undefined) ?? {}))
  const hint = near === '' ? '' : `did you mean ${near}?`
  return {
    message: `unknown key ${unknown} in ${name}`,
    spot: template.within(pair, [...path, unknown]).key,
    expected,
    hint
  }
}

/** What a template says that nobody hears: unknown keys, keys without effect, and keys that stand twice. */
export function findOddities(template: Template, source: Source): readonly Finding[] {
  const {top, common, apps} = template
  const mistakes = [
    ...odditiesIn(top, TOP),
    ...odditiesIn(common, SHARED),
    ...apps.flatMap(app => odditiesIn(app, APP))
  ]
  return mistakes
    .toSorted((a, b) => a.spot.start - b.spot.start)
    .slice(0, MAX_MISTAKES)
    .map(mistake => findingOf(source, mistake))
}

const findingOf = (source: Source, mistake: Mistake): Finding => ({
  ...placed(source, mistake),
  explanation: explain(source, mistake)
})

function odditiesIn(section: Section<object>, known: readonly string[]): readonly Mistake[] {
  const unknown = [...section.pairs.values()].filter(({name}) => !known.includes(name) && !name.startsWith('x-'))
  const useless = [...section.pairs.values()].filter(({name}) => WITHOUT_EFFECT.has(name))
  return [
    ...unknown.map(({name, key}) => unheard(name, key, known)),
    ...useless.map(({name, key}) => ({message: `${name} has no effect: ${WITHOUT_EFFECT.get(name) ?? ''}`, spot: key})),
    ...section.repeated.map(({name, key}) => ({message: `${name} stands twice: the last one counts`, spot: key}))
  ]
}

function unheard(name: string, spot: Spot, known: readonly string[]): Mistake {
  const documented = DOCUMENTED.get(name)
  if (documented !== undefined)
    return {
      message: `${name} is ignored, although Dapr's documentation has it`,
      spot,
      hint: `did you mean ${documented}?`
    }
  if (known === SHARED && APP.includes(name))
    return {message: `${name} is ignored in common`, spot, hint: `write it in each app`}
  const near = nearMiss(name, known)
  return {message: `${name} is ignored: unknown key`, spot, hint: near === '' ? '' : `did you mean ${near}?`}
}
