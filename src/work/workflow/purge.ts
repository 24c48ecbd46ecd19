import type {WorkflowAccess} from '../../model/workflow-settings.ts'
import type {Engine} from './engine.ts'
import type {Instance} from './instance.ts'
import {isTerminal} from './status.ts'
import {remove} from './tasks.ts'
import {deniedAccess, notOver, unknownInstance, WorkflowError} from './workflow-error.ts'

/* Removes instances with what they have started (Dapr: pkg/actors/targets/workflow/orchestrator/recursivepurge.go). */

/** Instances to remove. */
export interface PurgeRequest {
  /** Whether its children are removed, too, in whichever app they are. */
  readonly isRecursive: boolean
  readonly isForced: boolean
}

/** Purges an instance; returns how many were removed. Throws a WorkflowError. */
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
  if (!options.isAllowed(app, access)) throw childStays(id, deniedAccess(access, id).message)
}

const childStays = (id: string, why: string): WorkflowError =>
  new WorkflowError('not over', `failed to purge child workflow "${id}": ${why}`)
