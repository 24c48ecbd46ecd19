import type {WorkflowAccess} from '../../files/resources/workflow-access.ts'
import type {Clock} from '../../platform/clock.ts'
import {keep} from '../keep.ts'
import type {WorkFile} from '../work-file.ts'
import type {Engine} from './engine.ts'
import type {Instance, Parent} from './instance.ts'
import {readEvent, splitEvents} from './messages.ts'
import {isTerminal} from './status.ts'
import {deniedAccess, notOver, unknownInstance, WorkflowError} from './workflow-error.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** A child that an app of another run has, as its parent knows it. */
export interface FarChild {
  readonly app: string
  readonly id: string
  readonly parent: Omit<Parent, 'task'>
}

/** Removes such a child where it is, with all below it: how many there were. Undefined: no run has the app. Rejects with a WorkflowError. */
export type PurgeFar = (child: FarChild, isForced: boolean) => Promise<number | undefined>

/** What is removed. */
export interface PurgeRequest {
  /** Its children, too, in whichever app they are. */
  readonly isRecursive: boolean
  /** Also what is not over. */
  readonly isForced: boolean
}

export interface PurgesOptions {
  readonly store: WorkflowStore
  readonly engine: Engine
  readonly file: WorkFile
  readonly clock: Clock
  readonly hasApp: (app: string) => boolean
  readonly isAllowed: (app: string, access: WorkflowAccess) => boolean
  readonly warn: (app: string, text: string) => void
  readonly purgeFar: PurgeFar
}

/** Removes instances with what they have started (Dapr: pkg/actors/targets/workflow/orchestrator/recursivepurge.go). */
export class Purges {
  readonly #options: PurgesOptions

  constructor(options: PurgesOptions) {
    this.#options = options
  }

  /**
   * How many were removed. Children in other runs go first: if one of these is not over, or cannot be asked, all that is here stays. Throws a
   * WorkflowError.
   */
  async purge(app: string, id: string, request: PurgeRequest): Promise<number> {
    const far = request.isRecursive ? this.#family(app, id, request).flatMap(each => this.#farChildren(each)) : []
    let there = 0
    for (const child of far) there += await this.#purgeFar(app, child, request.isForced)
    const remove = (): number => {
      // another one of this id may have begun meanwhile
      const all = this.#family(app, id, request)
      for (const each of all) this.#options.engine.remove(each.key)
      return all.length + there
    }
    // who waits for a child that is gone would wait for ever
    return there > 0 ? keep(this.#options, remove) : this.#options.file.change(remove)
  }

  /** A workflow of another run asks for the end of its child: how many were removed; one that is gone, or another parent's, is none. */
  async purgeChild({app, id, parent}: FarChild, isForced: boolean): Promise<number> {
    const child = this.#options.store.find(app, id)
    const {parent: own} = child ?? {}
    if (own?.app !== parent.app || own.id !== parent.id || own.execution !== parent.execution) return 0
    this.#checkAccess(parent.app, {app, id, name: child?.name ?? ''})
    return this.purge(app, id, {isRecursive: true, isForced})
  }

  /** What is to be removed here. Throws a WorkflowError if it may not be. */
  #family(app: string, id: string, {isRecursive, isForced}: PurgeRequest): readonly Instance[] {
    const {store} = this.#options
    const instance = store.find(app, id)
    if (instance === undefined) throw unknownInstance()
    const all = isRecursive ? store.family(instance) : [instance]
    if (!isForced && all.some(each => !isTerminal(each.status))) throw notOver()
    for (const each of all) if (each.key !== instance.key) this.#checkAccess(each.parent?.app ?? '', each)
    return all
  }

  #checkAccess(caller: string, {app, id, name}: Pick<Instance, 'app' | 'id' | 'name'>): void {
    const access = {caller, kind: 'workflows', operation: 'purge', name} as const
    if (!this.#options.isAllowed(app, access)) throw childStays(id, deniedAccess(access, id).message)
  }

  #farChildren({key, app, id, execution}: Instance): readonly FarChild[] {
    const {store, hasApp} = this.#options
    const events = store.history(key).flatMap(splitEvents).map(readEvent)
    return events.flatMap(({childCreated, router}) => {
      const there = router?.targetAppID || app
      if (childCreated === undefined || hasApp(there)) return []
      return [{app: there, id: childCreated.instanceId, parent: {app, id, execution}}]
    })
  }

  async #purgeFar(app: string, child: FarChild, isForced: boolean): Promise<number> {
    const count = await this.#options.purgeFar(child, isForced)
    if (count !== undefined) return count
    if (!isForced) throw childStays(child.id, `no run has its app '${child.app}' now`)
    this.#options.warn(app, `workflow '${child.id}' is not removed: no run has its app '${child.app}' now`)
    return 0
  }
}

const childStays = (id: string, why: string): WorkflowError =>
  new WorkflowError('not over', `failed to purge child workflow "${id}": ${why}`)
