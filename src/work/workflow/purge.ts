import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import {keep} from '../keep.ts'
import type {Engine} from './engine.ts'
import type {FarChild} from './far-messages.ts'
import type {Instance} from './instance.ts'
import {eventsOf} from './messages.ts'
import {isTerminal} from './status.ts'
import {remove} from './tasks.ts'
import {deniedAccess, notOver, unknownInstance, WorkflowError} from './workflow-error.ts'

/* Removes instances with what they have started (Dapr: pkg/actors/targets/workflow/orchestrator/recursivepurge.go). */

/** Which instances to remove. */
export interface PurgeRequest {
  /** Also remove its children, in whichever app they are. */
  readonly isRecursive: boolean
  readonly isForced: boolean
}

/** Purges an instance; returns how many were removed. Children in other runs go first: if one of these stays, all stay. Throws a WorkflowError. */
export async function purge(engine: Engine, app: string, id: string, request: PurgeRequest): Promise<number> {
  const root = engine.store.find(app, id)
  if (root === undefined) throw unknownInstance()
  const before = familyOf(engine, root, request)
  const far = request.isRecursive ? before.flatMap(each => farChildrenOf(engine, each)) : []
  let there = 0
  for (const child of far) there += await purgeFar(engine, app, child, request.isForced)
  const purgeHere = (): number => {
    // it may be gone, and another one have its ID; of one that continues as new the children are not its own any more
    const found = [...before, ...familyOf(engine, engine.store.at(root.key) ?? root, request)]
    const keys = [...new Set(found.map(({key}) => key))].filter(key => engine.store.at(key) !== undefined)
    for (const key of keys) remove(engine, key)
    if (keys.length + there === 0) throw unknownInstance() // another purge was faster
    return keys.length + there
  }
  // an instance that waits for a child which is gone would wait forever
  return there > 0 ? keep(engine, purgeHere) : engine.file.change(purgeHere)
}

/** Purges a child for a workflow of another run; returns how many were removed. 0: it is gone, or has another parent. */
export async function purgeForParent(engine: Engine, {app, id, parent}: FarChild, isForced: boolean): Promise<number> {
  const child = engine.store.find(app, id)
  const {parent: own} = child ?? {}
  if (own?.app !== parent.app || own.id !== parent.id || own.execution !== parent.execution) return 0
  checkAccess(engine, parent.app, {app, id, name: child?.name ?? ''})
  return purge(engine, app, id, {isRecursive: true, isForced})
}

/** The instances to remove in this run. Throws a WorkflowError if one of them may not be removed. */
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

function farChildrenOf({store, options}: Engine, {key, app, id, execution}: Instance): readonly FarChild[] {
  return eventsOf(store.history(key)).flatMap(({childCreated, router}) => {
    const there = router?.targetAppID || app
    if (childCreated === undefined || options.hasApp(there)) return []
    return [{app: there, id: childCreated.instanceId, parent: {app, id, execution}}]
  })
}

async function purgeFar({options}: Engine, app: string, child: FarChild, isForced: boolean): Promise<number> {
  const count = await options.purgeFar(child, isForced)
  if (count !== undefined) return count
  if (!isForced) throw childStays(child.id, `no run has its app '${child.app}' now`)
  options.warn(app, `workflow '${child.id}' is not removed: no run has its app '${child.app}' now`)
  return 0
}

const childStays = (id: string, why: string): WorkflowError =>
  new WorkflowError('not over', `failed to purge child workflow "${id}": ${why}`)
