import {nearMiss} from '../../model/near-miss.ts'
import type {Section, Template} from './decode.ts'
import {MAX_MISTAKES, templateError, type Mistake, type Source} from './diagnose.ts'
import type {Pair} from '../yaml/tree.ts'
import {twiceNamed} from './plain-template.ts'
import {validators as all, type Validate} from './schema.generated.js'
import {ownOf} from '../../model/own.ts'

type Fault = NonNullable<Validate['errors']>[number]

/** Checks the values of our keys against `schema/template.json`. Dapr's keys have been checked by Dapr's rules already. */
export function checkOurKeys(
  template: Template,
  source: Source,
  validators: Readonly<Record<string, Validate>> = all
): void {
  const sections: readonly Section<object>[] = [template.top, template.common, ...template.apps]
  const wrong = sections.flatMap(section =>
    Object.entries(section.values).flatMap(([key, value]) => {
      const pair = section.pairs.get(key)
      const validate = ownOf(validators, key)
      if (pair === undefined || validate === undefined || validate(value)) return []
      return withoutEchoes(validate.errors ?? [])
        .slice(0, MAX_MISTAKES)
        .map(fault => mistakeOf(template, pair, fault))
    })
  )
  const mistakes = [...wrong, ...template.apps.flatMap(({pairs}) => twiceNamed(source, pairs))]
  const [first, ...others] = mistakes.toSorted((a, b) => a.spot.start - b.spot.start).slice(0, MAX_MISTAKES)
  if (first !== undefined) throw templateError(source, first, ...others)
}

/** Keeps the first fault of each place, which is the most specific. */
function withoutEchoes(faults: readonly Fault[]): readonly Fault[] {
  const byPlace = new Map<string, Fault>()
  for (const fault of faults) {
    const place = `${fault.instancePath} ${String(fault.params['additionalProperty'] ?? '')}`
    if (!byPlace.has(place)) byPlace.set(place, fault)
  }
  return [...byPlace.values()]
}

function mistakeOf(template: Template, pair: Pair, {instancePath, params, parentSchema}: Fault): Mistake {
  const path = instancePath
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const name = [pair.name, ...path].join('.')
  const expected = String(parentSchema?.['errorMessage'] ?? '')
  const unknown: unknown = params['additionalProperty']
  if (typeof unknown !== 'string')
    return {message: `wrong value of ${name}`, spot: template.within(pair, path).value, expected}
  const near = nearMiss(unknown, Object.keys((parentSchema?.['properties'] as object | undefined) ?? {}))
  const hint = near === '' ? '' : `did you mean ${near}?`
  return {
    code: 'unknown-key',
    message: `unknown key ${unknown} in ${name}`,
    spot: template.within(pair, [...path, unknown]).key,
    expected,
    hint
  }
}
