import {existsSync} from 'node:fs'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {ResourceSnapshot} from '../../files/resources/app-resources.ts'
import {isActorStore} from '../../files/resources/components.ts'
import {DEFAULT_WORKFLOWS} from '../../files/resources/defaults.ts'
import {ResourceStore} from '../../files/resources/resource-store.ts'
import {workPath} from '../../work/work-path.ts'

/** Returns the resources of each app as its sidecar would have them. */
export async function resourcesOf(
  apps: readonly AppPlan[]
): Promise<readonly (readonly [AppPlan, ResourceSnapshot])[]> {
  const store = new ResourceStore({
    env: process.env,
    cwd: process.cwd(),
    reporter: {warn: () => undefined},
    types: async () => (await import('../../dapr/components/block-types.ts')).componentType
  })
  const all: [AppPlan, ResourceSnapshot][] = []
  for (const app of apps) all.push([app, (await store.open(app)).snapshot])
  return all
}

/** The needs of a template's workflows in a real Dapr. */
interface WorkflowNeeds {
  /** Path of the file of workflows; '': not created yet. */
  readonly path: string
  /** Whether no Component is marked as the store of actors: in Dapr, workflows would wait forever. */
  readonly lacksStore: boolean
}

/** Returns the needs of workflows. undefined: neither a file of an earlier run nor a resource shows workflows, though the code may have some. */
export function workflowNeeds(plan: Plan, snapshots: readonly ResourceSnapshot[]): WorkflowNeeds | undefined {
  const path = workPath({env: process.env, plan}) ?? ''
  const hasFile = path !== '' && existsSync(path)
  const hasResource = snapshots.some(
    ({configuration, accessPolicies}) => configuration.workflows !== DEFAULT_WORKFLOWS || accessPolicies.length > 0
  )
  if (!hasFile && !hasResource) return undefined
  const lacksStore = !snapshots.some(({components}) => components.some(isActorStore))
  return {path: hasFile ? path : '', lacksStore}
}
