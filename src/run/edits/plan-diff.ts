import {isDeepStrictEqual} from 'node:util'
import {maySleep, type AppPlan, type Plan} from '../../model/plan.ts'
import {planKey} from './plan-facts.ts'

/** The changes of an edited template. Apps are matched by id, version and instance. */
export interface PlanChanges {
  readonly added: readonly AppPlan[]
  readonly removed: readonly AppPlan[]
  /** Changed apps with their new plans; `effectOf` returns the effect. */
  readonly changed: readonly AppPlan[]
  /** Changed top-level keys that count only at the start. */
  readonly atStart: readonly string[]
}

/** Compares two plans. The order of apps does not count. */
export function planChanges(before: Plan, after: Plan): PlanChanges {
  const old = new Map(before.apps.map(app => [planKey(app), app]))
  const added: AppPlan[] = []
  const changed: AppPlan[] = []
  for (const plan of after.apps) {
    const was = old.get(planKey(plan))
    old.delete(planKey(plan))
    if (was === undefined) added.push(plan)
    else if (!isDeepStrictEqual(was, plan)) changed.push(plan)
  }
  return {added, removed: [...old.values()], changed, atStart: editedAtStart(before, after)}
}

/** Returns the top-level keys that count only at the start and differ in another plan. */
export function editedAtStart({atStart: before = {}}: Plan, {atStart: after = {}}: Plan): readonly string[] {
  return Object.keys({...before, ...after}).filter(key => !isDeepStrictEqual(before[key], after[key]))
}

const idsOf = (plans: readonly AppPlan[]): string => [...new Set(plans.map(({id}) => id))].join(', ')

const isOf = ({id, version}: AppPlan, apps: readonly AppPlan[] = []): boolean =>
  apps.some(app => app.id === id && app.version === version)

const countOf = (app: AppPlan, {apps}: Plan): number => apps.filter(each => isOf(app, [each])).length

/** Describes each app whose number of replicas changes: `catalog has 2 replicas (1 before)`. */
function replicaTexts(apps: readonly AppPlan[], before: Plan, after: Plan): readonly string[] {
  return apps.map(app => {
    const now = countOf(app, after)
    return `${app.id} has ${now === 1 ? '1 replica' : `${now} replicas`} (${countOf(app, before)} before)`
  })
}

/** Describes the changes for the console: `edit of the template: added news, removed mail`; '' without any. `late`: keys that differ from those at the start. */
export function editText(before: Plan, after: Plan, late: readonly string[]): string {
  const {added, removed, changed, atStart} = planChanges(before, after)
  const isScaled = (app: AppPlan): boolean => isOf(app, before.apps) && isOf(app, after.apps)
  const came = added.filter(app => !isScaled(app))
  const gone = removed.filter(app => !isScaled(app))
  const names = {
    added: idsOf(came.filter(app => !isOf(app, before.leftOut))),
    'brought in by a profile:': idsOf(came.filter(app => isOf(app, before.leftOut))),
    removed: idsOf(gone.filter(app => !isOf(app, after.leftOut))),
    'left out by a profile:': idsOf(gone.filter(app => isOf(app, after.leftOut))),
    changed: idsOf(changed),
    'from the next start on:': atStart.filter(key => late.includes(key)).join(', '),
    'again as in this run:': atStart.filter(key => !late.includes(key)).join(', ')
  }
  const scaled = new Set(replicaTexts([...added, ...removed].filter(isScaled), before, after))
  const parts = [
    ...scaled,
    ...Object.entries(names).flatMap(([what, text]) => (text === '' ? [] : [`${what} ${text}`]))
  ]
  return parts.length === 0 ? '' : `edit of the template: ${parts.join('; ')}`
}

/**
 * Parts of an app that an edit replaces. With `nothing` its process continues; with `process` its sidecar, logs and ports stay; with
 * `all` it is closed and opened again, and waits for the apps that it depends on.
 */
export type Effect = 'nothing' | 'process' | 'all'

export function effectOf(before: AppPlan, after: AppPlan): Effect {
  if (!isDeepStrictEqual(settled(before), settled(after))) return 'all'
  return isDeepStrictEqual(used(before), used(after)) ? 'nothing' : 'process'
}

/** Returns the settings that cannot change while an app's sidecar is open, or that count before its process starts. */
const settled = ({
  channel,
  sidecar,
  logs,
  resources,
  fixedPort,
  published,
  command,
  ready,
  dependsOn,
  ...plan
}: AppPlan): unknown => ({
  channel,
  sidecar,
  logs,
  resources: {...resources, variables: undefined}, // their values change while the sidecar is open
  fixedPort,
  published,
  dependsOn,
  isSidecarAlone: command.length === 0,
  maySleep: maySleep(plan),
  waitMs: ready.timeoutMs
})

/** Returns the settings of a process, without settings of our watcher, our sidecar, its start and other places. */
const used = ({
  watch: _w,
  reloadsItself: _r,
  envFiles: _e,
  profiles: _p,
  setup: _s,
  teardown: _t,
  lazy: _l,
  idleTimeoutMs: _i,
  elsewhere: _k,
  resources: _d,
  isPlain: _q,
  ...rest
}: AppPlan): unknown => rest
