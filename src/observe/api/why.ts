import type * as Api from '../../model/api.generated.ts'
import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {isNamedSo, versionedName} from '../../model/plan.ts'
import type {Workflows} from '../../work/workflow/workflows.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {isVersion, type AppName} from './apps.ts'
import type {RunFacts} from './run-facts.ts'
import {deathView} from './death-view.ts'

/** Returns one exit. Throws a UserError if it is not kept. */
export async function oneDeath({deaths, recorder}: RunFacts, number: number, masking: Masking): Promise<Api.Death> {
  const death = deaths?.get(number)
  if (death !== undefined) return deathView(death, masking, recorder.spans)
  const known = deaths?.all().map(each => each.number.toString()) ?? []
  throw new UserError(`there is no exit ${number}`, {
    explanation: known.length === 0 ? 'No process has exited unexpectedly.' : `Known: ${known.join(', ')}`
  })
}

/** Explains the state of an app. Throws a UserError if the run has no such app. */
export async function whyOf(
  {apps, leftOut, deaths, recorder, portHint, work, plans}: RunFacts,
  wanted: AppName,
  masking: Masking
): Promise<Api.Why> {
  const {id: app, version: ofVersion} = wanted
  const all = [...apps(), ...leftOut()]
  const meant = all.filter(each => isNamedSo(each, app) && isVersion(wanted, each.version))
  const [first] = meant
  if (first === undefined) {
    const ids = [...new Set(all.map(({id}) => id))]
    const near = nearMiss(app, ids)
    const text = ofVersion === '' ? app : `${app}@${ofVersion}`
    throw new UserError(`couldn't find app id ${text}${near === '' ? '' : `: did you mean ${near}?`}`, {
      explanation: `Running: ${ids.join(', ')}`
    })
  }
  const isMeant = ({app: id, name, version}: Death): boolean => isNamedSo({id, name}, app) && isVersion(wanted, version)
  const kept = deaths?.all(first.id).filter(isMeant) ?? []
  const latest = kept.at(-1)
  const workflows = work.openWorkflows()
  return {
    app: first.id,
    instances: await Promise.all(
      meant.map(async ({name, version, availability, reason}) => {
        const hint = await portHint(versionedName({name, version}))
        const isReady = availability === 'ready'
        const asleep = isReady ? sleepingNeedOf(first.id, {plans, apps}) : ''
        return {name, version, isReady, availability, reason: [reason || asleep, hint].filter(Boolean).join(': ')}
      })
    ),
    stalled: workflows === undefined ? [] : await stalledOf(workflows, first.id),
    death: latest === undefined ? null : await deathView(latest, masking, recorder.spans),
    deaths: kept.length
  }
}

/** Returns the first dependency of a running app that has no process; '': each has one, or has finished. */
function sleepingNeedOf(app: string, {plans, apps}: Pick<RunFacts, 'plans' | 'apps'>): string {
  const needed = plans().flatMap(({id, dependsOn}) => (id === app ? dependsOn : []))
  const ids = new Set(needed.flatMap(({id, until}) => (until === 'completed' ? [] : [id])))
  const asleep = apps().find(({id, availability}) => ids.has(id) && availability === 'asleep')
  return asleep === undefined ? '' : `"${app}" depends on "${asleep.id}", which is asleep: ${asleep.reason}`
}

const MAX_STALLED = 20

async function stalledOf(workflows: Workflows, app: string): Promise<readonly Api.Workflow[]> {
  const {listInstances} = await import('./workflows/serve-workflows.ts')
  const query = new URLSearchParams({app, status: 'STALLED', limit: MAX_STALLED.toString()})
  return listInstances(workflows, query).workflows
}
