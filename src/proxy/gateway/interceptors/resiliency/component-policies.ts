import {setMaxListeners} from 'node:events'
import type {Resiliency} from '../../../../files/resources/resiliency/policies.ts'
import {
  actorPolicies,
  componentPolicies,
  type ComponentDirection
} from '../../../../files/resources/resiliency/resiliency.ts'
import type {Endpoint} from '../../../../model/resiliency-event.ts'
import {breakerOf} from './breaker.ts'
import {type BreakerView, RecentlyUsed, viewsOf} from './policy-interceptor.ts'
import type {AttemptControl} from './attempt.ts'
import {
  failureWords,
  isEmpty,
  ResilientCall,
  type SendAttempt,
  type EndpointPolicies,
  type Outcomes,
  type PolicyRuntime
} from './resilient-call.ts'

/** Direction of a component: calls to it, or its events to the app. */
export interface ComponentTargetName {
  readonly name: string
  /** The part of the names of its default policies: `Pubsub`, `Statestore`. */
  readonly kind: string
  readonly direction: ComponentDirection
}

/** How a call to a component is treated. */
export interface CallTreatment {
  /** Whether an error is not a failure of the component, so that it is neither retried nor counted. Default: none. */
  readonly isFinal?: ((error: unknown) => boolean) | undefined
  /** Calls the listener when the call is cancelled: it is not retried. */
  readonly onGone?: OnGone | undefined
}

/** Calls the listener when the caller disconnects. */
export interface OnGone {
  (listener: () => void): void
  /** The `traceparent` that the caller has sent; '' or omitted: none. */
  traceparent?: string
  /** Aborted when the call is not tried again, though an attempt may end; omitted: never. */
  over?: AbortSignal
}

/** Returns a signal for the sidecar's own work, which is tried again until this is aborted. */
export const until = (over: AbortSignal): OnGone => Object.assign(() => undefined, {over})

/** A signal that the caller has left, and an `OnGone` for others: the caller keeps its latest listener alone. */
export function leaving(caller: OnGone): {readonly gone: AbortSignal; readonly onGone: OnGone} {
  const left = new AbortController()
  const {signal: gone} = left
  setMaxListeners(0, gone)
  caller(() => left.abort())
  const onGone = (listener: () => void): void =>
    gone.aborted ? listener() : gone.addEventListener('abort', listener, {once: true})
  return {gone, onGone: Object.assign(onGone, caller)}
}

/** A signal that its caller has left, or that a policy has ended this attempt of the call. */
export function attemptSignal(gone: AbortSignal | undefined, attempt: AttemptControl | undefined): AbortSignal {
  const stopped = new AbortController()
  attempt?.onStop(() => stopped.abort())
  return AbortSignal.any(gone === undefined ? [stopped.signal] : [gone, stopped.signal])
}

/** The result of a call to a component. */
type Done<T> = {readonly value: T} | {readonly error: unknown}

/** Policies around the calls of one app to its components, and around events of these for the app (Dapr: pkg/resiliency). */
export class ComponentPolicies {
  readonly #resiliency: Resiliency
  readonly #runtime: PolicyRuntime
  readonly #known = new Map<string, EndpointPolicies | undefined>()
  /** The policies of the latest actors that have a circuit breaker for each id, by type; of the latest types with a default one, by ''. */
  readonly #byId = new Map<string, RecentlyUsed<EndpointPolicies | undefined>>()

  constructor(resiliency: Resiliency, runtime: PolicyRuntime) {
    this.#resiliency = resiliency
    this.#runtime = runtime
  }

  /** Returns the policies of a target, if it has any. */
  find(target: ComponentTargetName): EndpointPolicies | undefined {
    const key = `${target.kind} ${target.direction} ${target.name}`
    if (!this.#known.has(key)) this.#known.set(key, this.#make(target))
    return this.#known.get(key)
  }

  /** Returns the policies for calls to an actor, if there are any. For types that are not listed only the latest breakers are kept, since callers may name any. */
  findActor(type: string, id: string): EndpointPolicies | undefined {
    const {isListed, circuitBreaker, isBrokenById, circuitBreakerCacheSize} = actorPolicies(this.#resiliency, type)
    if (!isListed && circuitBreaker === undefined) return this.#makeActor(type, type)
    if (isListed && (circuitBreaker === undefined || !isBrokenById)) {
      const key = `actor ${type}`
      if (!this.#known.has(key)) this.#known.set(key, this.#makeActor(type, type))
      return this.#known.get(key)
    }
    const [group, name] = isListed ? [type, `${type}-${id}`] : ['', type]
    const known = this.#byId.get(group) ?? new RecentlyUsed<EndpointPolicies | undefined>(circuitBreakerCacheSize)
    this.#byId.set(group, known)
    return known.get(name, () => this.#makeActor(type, name))
  }

  /** Makes a call with policies that were found. */
  call<Outcome>(policies: EndpointPolicies, outcomes: Outcomes<Outcome>): ResilientCall<Outcome> {
    return new ResilientCall(policies, this.#runtime, outcomes)
  }

  /** Calls a component with its policies. Rejects with the error of the last attempt, or of the policy. */
  async around<T>(
    target: ComponentTargetName,
    work: (attempt?: AttemptControl) => Promise<T>,
    {isFinal = () => false, onGone}: CallTreatment = {}
  ): Promise<T> {
    const found = this.find(target)
    if (found === undefined) return work()
    const attempt: SendAttempt<Done<T>> = async control => {
      try {
        return {value: await work(control)}
      } catch (error) {
        return {error}
      }
    }
    const call = this.call<Done<T>>(found, {
      judge: outcome => ('value' in outcome ? 'success' : isFinal(outcome.error) ? 'excluded' : 'failed'),
      failed: reason => ({error: new Error(failureWords(reason))}),
      discard: () => undefined
    })
    const finish = (): void => call.finish()
    if (onGone?.over?.aborted === true) finish()
    else onGone?.over?.addEventListener('abort', finish, {once: true})
    onGone?.(() => call.cancel())
    const done = await call.run(attempt)
    onGone?.over?.removeEventListener('abort', finish)
    if ('error' in done) throw done.error
    return done.value
  }

  /** Returns all circuit breakers in use. Of single actors, which may be thousands, only the open ones. */
  breakers(): readonly BreakerView[] {
    const ofIds = [...this.#byId.values()].flatMap(known => known.values())
    return viewsOf([...this.#known.values(), ...ofIds.filter(each => each?.breaker?.state !== 'closed')])
  }

  #make(target: ComponentTargetName): EndpointPolicies | undefined {
    const {name} = target
    return this.#madeOf(componentPolicies(this.#resiliency, target), name, {target: name, component: target})
  }

  #makeActor(type: string, name: string): EndpointPolicies | undefined {
    return this.#madeOf(actorPolicies(this.#resiliency, type), name, {target: type})
  }

  #madeOf(found: Parameters<typeof isEmpty>[0], name: string, of: Omit<Endpoint, 'key'>): EndpointPolicies | undefined {
    if (isEmpty(found)) return undefined
    const {timeoutMs, retry, circuitBreaker} = found
    const endpoint = {...of, key: circuitBreaker === undefined ? name : `${circuitBreaker.name}-${name}`}
    return {endpoint, timeoutMs, retry, breaker: circuitBreaker && breakerOf(endpoint, circuitBreaker, this.#runtime)}
  }
}
