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

/** What is removed. */
export interface PurgeRequest {
  /** Its children, too, in whichever app they are. */
  readonly isRecursive: boolean
  readonly isForced: boolean
}

/** How many were removed. Children in other runs go first: if one of these stays, all stays. Throws a WorkflowError. */
export async function purge(engine: Engine, app: string, id: string, request: PurgeRequest): Promise<number> {
  const far = request.isRecursive ? familyOf(engine, app, id, request).flatMap(each => farChildrenOf(engine, each)) : []
  let there = 0
  for (const child of far) there += await purgeFar(engine, app, child, request.isForced)
  const purgeHere = (): number => {
    // another one of this id may have begun meanwhile
    const all = familyOf(engine, app, id, request)
    for (const each of all) remove(engine, each.key)
    return all.length + there
  }
  // who waits for a child that is gone would wait for ever
  return there > 0 ? keep(engine, purgeHere) : engine.file.change(purgeHere)
}

/** A workflow of another run asks for the end of its child: how many were removed; one that is gone, or another parent's, is none. */
export async function purgeForParent(engine: Engine, {app, id, parent}: FarChild, isForced: boolean): Promise<number> {
  const child = engine.store.find(app, id)
  const {parent: own} = child ?? {}
  if (own?.app !== parent.app || own.id !== parent.id || own.execution !== parent.execution) return 0
  checkAccess(engine, parent.app, {app, id, name: child?.name ?? ''})
  return purge(engine, app, id, {isRecursive: true, isForced})
}

/** What is to be removed here. Throws a WorkflowError if it may not be. */
function familyOf(engine: Engine, app: string, id: string, {isRecursive, isForced}: PurgeRequest): readonly Instance[] {
  const instance = engine.store.find(app, id)
  if (instance === undefined) throw unknownInstance()
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
