import {isDeepStrictEqual} from 'node:util'
import type {AppPlan, Plan} from '../../model/plan.ts'

/** The changes of an edited template. Apps are matched by id and version, and by their order if these are equal. */
export interface PlanChanges {
  /** With their indexes in the new plan. */
  readonly added: readonly {readonly plan: AppPlan; readonly index: number}[]
  readonly removed: readonly AppPlan[]
  /** Sidecar, logs and ports are unchanged: only the process is replaced. */
  readonly changed: readonly {readonly before: AppPlan; readonly after: AppPlan}[]
}

/** Apps whose sidecar or logs changed are removed and added again. */
export function planChanges(before: Plan, after: Plan): PlanChanges {
  const old = new Map(keyed(before.apps))
  const added: {plan: AppPlan; index: number}[] = []
  const changed: {before: AppPlan; after: AppPlan}[] = []
  for (const [index, [key, plan]] of keyed(after.apps).entries()) {
    const was = old.get(key)
    if (was !== undefined && isSameSidecar(was, plan)) {
      old.delete(key)
      if (!isDeepStrictEqual(was, plan)) changed.push({before: was, after: plan})
    } else added.push({plan, index})
  }
  return {added, removed: [...old.values()], changed}
}

function keyed(apps: readonly AppPlan[]): readonly (readonly [string, AppPlan])[] {
  const counts = new Map<string, number>()
  return apps.map(app => {
    const name = JSON.stringify([app.id, app.version])
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return [`${name} ${count.toString()}`, app]
  })
}

/** The settings that cannot change while an app's sidecar is open. */
const settled = ({channel, sidecar, logs, resources, fixedPort, command, ready}: AppPlan): unknown => ({
  channel,
  sidecar,
  logs,
  resources,
  fixedPort,
  isSidecarAlone: command.length === 0,
  waitMs: ready.timeoutMs
})

const isSameSidecar = (a: AppPlan, b: AppPlan): boolean => isDeepStrictEqual(settled(a), settled(b))
