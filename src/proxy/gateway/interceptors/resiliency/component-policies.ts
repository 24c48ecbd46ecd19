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

/** A component in one direction: calls of the app to the component, or its events for the app. */
export interface ComponentTargetName {
  readonly name: string
  /** Kind of the component in the names of default policies: `Pubsub`, `Statestore`. */
  readonly kind: string
  readonly direction: ComponentDirection
}

/** Options of one call to a component. */
export interface CallTreatment {
  /** Returns whether an error is not a failure of the component, so that it is neither retried nor counted. Omitted: every error is a failure. */
  readonly isFinal?: ((error: unknown) => boolean) | undefined
  /** Registers a listener for the cancellation of the call, after which it is not retried. */
  readonly onGone?: OnGone | undefined
}

/** Registers a listener that is called when the caller disconnects, with facts about the caller. */
export interface OnGone {
  (listener: () => void): void
  /** Header `traceparent` of the caller; '' or omitted: none. */
  traceparent?: string
  /** Aborted when no further attempt may follow; the current one may finish. Omitted: never aborted. */
  over?: AbortSignal
}

/** Returns the `OnGone` of work that the sidecar does by itself, without a caller: retries end when the signal is aborted. */
export const until = (over: AbortSignal): OnGone => Object.assign(() => undefined, {over})

/** Makes an abort signal of a caller's `OnGone`, which keeps only its latest listener, and an `OnGone` that keeps many. */
export function leaving(caller: OnGone): {readonly gone: AbortSignal; readonly onGone: OnGone} {
  const left = new AbortController()
  const {signal: gone} = left
  setMaxListeners(0, gone)
  caller(() => left.abort())
  const onGone = (listener: () => void): void =>
    gone.aborted ? listener() : gone.addEventListener('abort', listener, {once: true})
  return {gone, onGone: Object.assign(onGone, caller)}
}

/** Returns the signal of one attempt: aborted when the caller disconnects, or when a policy ends the attempt. */
export function attemptSignal(gone: AbortSignal | undefined, attempt: AttemptControl | undefined): AbortSignal {
  const stopped = new AbortController()
  attempt?.onStop(() => stopped.abort())
  return AbortSignal.any(gone === undefined ? [stopped.signal] : [gone, stopped.signal])
}

/** The result of a call to a component. */
type Done<T> = {readonly value: T} | {readonly error: unknown}

/** Applies resiliency policies to the calls of one app to components and actors, and to events of components for the app (Dapr: pkg/resiliency). */
export class ComponentPolicies {
  readonly #resiliency: Resiliency
  readonly #runtime: PolicyRuntime
  readonly #known = new Map<string, EndpointPolicies | undefined>()
  /** Latest policies with a breaker per actor id, by actor type. By '': latest policies of actor types without an entry in the resource. */
  readonly #byId = new Map<string, RecentlyUsed<EndpointPolicies | undefined>>()

  constructor(resiliency: Resiliency, runtime: PolicyRuntime) {
    this.#resiliency = resiliency
    this.#runtime = runtime
  }

  /** Returns the policies of a component; undefined: none apply. */
  find(target: ComponentTargetName): EndpointPolicies | undefined {
    const key = `${target.kind} ${target.direction} ${target.name}`
    if (!this.#known.has(key)) this.#known.set(key, this.#make(target))
    return this.#known.get(key)
  }

  /** Returns the policies for calls to an actor; undefined: none apply. Keeps only the latest breakers of unlisted types, since callers may invent types. */
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

  /** Creates a call with the policies that `find` or `findActor` has returned. */
  call<Outcome>(policies: EndpointPolicies, outcomes: Outcomes<Outcome>): ResilientCall<Outcome> {
    return new ResilientCall(policies, this.#runtime, outcomes)
  }

  /** Calls a component under its policies. Rejects with the error of the last attempt, or of the policy. */
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

  /** Returns all circuit breakers in use. Of breakers per actor, of which there may be thousands, returns only those that are not closed. */
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
