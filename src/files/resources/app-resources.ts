import {isDeepStrictEqual} from 'node:util'
import type {AppPlan} from '../../model/plan.ts'
import type {WarningCode} from '../../model/reporter.ts'
import type {ComponentResource} from './components.ts'
import type {Configuration} from './dapr-configuration.ts'
import type {ResourceFault} from './fault.ts'
import type {PlacedReference} from './field.ts'
import type {HttpEndpoint} from './http-endpoints.ts'
import type {Resiliency} from './resiliency/policies.ts'
import type {SubscriptionResource} from './subscriptions.ts'
import type {WorkflowAccessPolicy} from './workflow-access.ts'
import type {WithoutEffect} from './without-effect.ts'

/** The resources of one app as an immutable snapshot. A changed file makes a new snapshot. */
export interface ResourceSnapshot {
  /** The endpoints for this app, each name once. */
  readonly endpoints: readonly HttpEndpoint[]
  /** The components for this app, of all types. */
  readonly components: readonly ComponentResource[]
  /** The subscriptions for this app, in the order of the files. */
  readonly subscriptions: readonly SubscriptionResource[]
  readonly resiliency: Resiliency
  /** The policies for this app: the rights of other apps to its workflows. */
  readonly accessPolicies: readonly WorkflowAccessPolicy[]
  /** Names of the MCPServers for this app: they are listed, and not called. */
  readonly mcpServers: readonly string[]
  readonly configuration: Configuration
  /** Resources that Dapr knows but Pillion does not use, in the order of the files. */
  readonly withoutEffect: readonly WithoutEffect[]
  /** The `${…}` of its files, in their order. */
  readonly references: readonly PlacedReference[]
  /** Mistakes in its current files, in order. */
  readonly faults: readonly ResourceFault[]
}

/** The resources of one app as long as its sidecar is open. */
export interface AppResources {
  readonly snapshot: ResourceSnapshot
  /** Calls the listener with each new snapshot; the returned function removes the listener. */
  onChange(listener: (snapshot: ResourceSnapshot) => void): () => void
  /** Warns of an effect of the app's Configuration, once in a run. Dapr's default Configuration causes no warning. */
  warn(code: WarningCode, text: string): void
  close(): void
}

/** The properties of an app that its resources depend on. */
export type App = Pick<AppPlan, 'id' | 'resources'>

/** The resources of an app in the store. */
export class OpenResources implements AppResources {
  readonly app: App
  snapshot: ResourceSnapshot
  isClosed = false
  readonly #listeners = new Set<(snapshot: ResourceSnapshot) => void>()
  readonly warn: AppResources['warn']
  readonly #closed: () => void

  constructor(app: App, snapshot: ResourceSnapshot, {warn, closed}: Pick<AppResources, 'warn'> & {closed: () => void}) {
    this.app = app
    this.snapshot = snapshot
    this.warn = warn
    this.#closed = closed
  }

  onChange(listener: (snapshot: ResourceSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Applies a change. Equal parts keep their objects, so that objects made of them stay valid. */
  change(changed: ResourceSnapshot): void {
    const {snapshot: before} = this
    const keep = <Key extends keyof ResourceSnapshot>(key: Key): readonly [Key, ResourceSnapshot[Key]] => [
      key,
      isDeepStrictEqual(changed[key], before[key]) ? before[key] : changed[key]
    ]
    const keys = Object.keys(changed) as (keyof ResourceSnapshot)[]
    if (keys.every(key => keep(key)[1] === before[key])) return
    const snapshot = Object.fromEntries(keys.map(keep)) as unknown as ResourceSnapshot
    this.snapshot = snapshot
    for (const listener of this.#listeners) listener(snapshot)
  }

  close(): void {
    this.isClosed = true
    this.#listeners.clear()
    this.#closed()
  }
}
