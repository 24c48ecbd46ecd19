import type {FaultPlan} from '../../model/fault.ts'
import type {Template} from './decode.ts'
import {templateError, type Source} from './diagnose.ts'
import type {ForEach} from './merge.ts'
import {checkFaultIds, readFault, WrongFault, type FaultFields} from './fault.ts'

interface Checking {
  readonly ids: readonly string[]
  readonly source: Source
  readonly each: ForEach
}

/** Returns the faults of a template, for apps with these ids. Throws a `UserError` with the place of a mistake. */
export function templateFaults(template: Template, {ids, source, each}: Checking): readonly FaultPlan[] {
  const {faults = []} = template.top.values
  return each(faults, (fields, index) => {
    try {
      const plan = readFault(fields)
      checkFaultIds(plan, ids, false)
      return plan
    } catch (error) {
      if (error instanceof WrongFault) throw mistake(template, {error, fields, index}, source)
      throw error
    }
  })
}

interface Mistaken {
  readonly error: WrongFault
  readonly fields: FaultFields
  readonly index: number
}

function mistake(template: Template, {error, fields, index}: Mistaken, source: Source): Error {
  const pair = template.top.pairs.get('faults')
  if (pair === undefined) return error
  const {key, message, expected} = error
  const path = [index.toString(), ...(Object.hasOwn(fields, key) ? [key] : [])]
  return templateError(source, {message: `faults: ${message}`, spot: template.within(pair, path).value, expected})
}
