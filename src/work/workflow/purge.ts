import type {WorkflowAccess} from '../../model/workflow-settings.ts'
import type {Engine} from './engine.ts'
import type {Instance} from './instance.ts'
import {isTerminal} from './status.ts'
import {remove} from './tasks.ts'
import {deniedAccess, notOver, unknownInstance, WorkflowError} from './workflow-error.ts'

/* Purges instances (Dapr: pkg/actors/targets/workflow/orchestrator/recursivepurge.go). */

export interface PurgeRequest {
  /** Whether the descendants in all apps are purged, too. */
  readonly isRecursive: boolean
  /** Whether instances that have not ended are purged, too. */
  readonly isForced: boolean
}

/** Purges an instance. Returns the number of removed instances. Throws a WorkflowError. */
export async function purge(engine: Engine, app: string, id: string, request: PurgeRequest): Promise<number> {
  const root = engine.store.find(app, id)
  if (root === undefined) throw unknownInstance()
  const family = familyOf(engine, root, request)
  return engine.file.change(() => {
    for (const {key} of family) remove(engine, key)
    return family.length
  })
}

/** Returns the instances to remove. Throws a WorkflowError if one must not be removed. */
function familyOf(engine: Engine, instance: Instance, {isRecursive, isForced}: PurgeRequest): readonly Instance[] {
  const all = isRecursive ? engine.store.family(instance) : [instance]
  if (!isForced && all.some(each => !isTerminal(each.status))) throw notOver()
  for (const each of all) if (each.key !== instance.key) checkAccess(engine, each.parent?.app ?? '', each)
  return all
}

function checkAccess({options}: Engine, caller: string, {app, id, name}: Pick<Instance, 'app' | 'id' | 'name'>): void {
  const access: WorkflowAccess = {caller, kind: 'workflows', operation: 'purge', name}
  const refusal = `failed to purge child workflow "${id}": ${deniedAccess(access, id).message}`
  if (!options.isAllowed(app, access)) throw new WorkflowError('not over', refusal)
}
