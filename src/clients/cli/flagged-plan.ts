import {checkRunName} from '../../control/run-name.ts'
import {UserError} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import type {GivenFlags} from './given-flags.ts'

/** An allowed origin, by the pattern of `schema/template.json`. */
const ORIGIN = /^(?:\*|[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/\s?#@]+\/?)$/

/** Returns the plan with flags for the whole run. Throws a UserError for a wrong value. */
export const flaggedPlan = (plan: Plan, flags: GivenFlags): Plan =>
  withOrigins(named(recorded(plan, flags), flags), flags)

/** `--no-record`: records no calls of any app. */
const recorded = (plan: Plan, flags: GivenFlags): Plan =>
  flags.isSet('no-record')
    ? {...plan, apps: plan.apps.map(app => ({...app, record: {...app.record, bodyBytes: -1}}))}
    : plan

/** `--name`: the name of this copy of the template. */
function named(plan: Plan, flags: GivenFlags): Plan {
  const copy = flags.text('name')
  if (copy !== undefined) checkRunName(copy)
  return {...plan, ...(copy !== undefined && {copy})}
}

/** Adds `--allowed-origins` to the origins of the template. */
function withOrigins(plan: Plan, flags: GivenFlags): Plan {
  const origins = flags.list('allowed-origins')
  const wrong = origins.find(origin => !ORIGIN.test(origin))
  if (wrong !== undefined)
    throw new UserError(`--allowed-origins: ${JSON.stringify(wrong)} is not an origin`, {
      explanation: 'Write the scheme and the host, like https://shop.example or http://192.168.1.5:3000.'
    })
  return origins.length === 0 ? plan : {...plan, allowedOrigins: [...(plan.allowedOrigins ?? []), ...origins]}
}
