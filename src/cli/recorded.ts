import type {Plan} from '../model/plan.ts'
import type {GivenFlags} from './given-flags.ts'

/** `--no-record`: nothing is kept of the calls of any app. */
export const recorded = (plan: Plan, flags: GivenFlags): Plan =>
  flags.isSet('no-record')
    ? {...plan, apps: plan.apps.map(app => ({...app, record: {...app.record, bodyBytes: -1}}))}
    : plan
