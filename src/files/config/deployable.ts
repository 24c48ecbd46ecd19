import type {AppPlan, Plan} from '../../model/plan.ts'
import type {CheckedTemplate} from './hints.ts'
import {validators} from './kubernetes.generated.js'
import {checkOurKeys} from './schema.ts'
import type {Entry} from './service-versions.ts'

/** Returns the entries of the apps of a plan. Throws a `UserError` with the places of all mistakes in the key `kubernetes`. */
export function deployable(
  {template, entries, source}: Pick<CheckedTemplate, 'template' | 'entries' | 'source'>,
  {apps}: Plan
): readonly Entry[] {
  checkOurKeys(template, source, validators)
  return entries.filter(({plan}) => apps.some(app => keyOf(app) === keyOf(plan)))
}

const keyOf = ({id, version, profiles}: AppPlan): string => JSON.stringify([id, version, profiles])
