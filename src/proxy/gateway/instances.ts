import type {Call} from '../../model/call.ts'
import {isHeld, type Admission, type Admit, type Denied, type Held} from './admission.ts'
import type {CallerIdentity} from './caller-header.ts'
import {admitTo, type Callee} from './local-apps.ts'

/** Returns the app with an id in the run: one app, or several instances; undefined: none. */
export type FindCallee = (id: string) => Callee | Instances | undefined

/** Returns the identity of a calling app for access control; undefined: unknown. */
export type Identify = (appId: string) => CallerIdentity | undefined

export interface AdmitOptions {
  readonly find: FindCallee
  /** Admits calls to apps that are not part of the run. */
  readonly elsewhere: Admit
  /** The app whose sidecar received the calls. */
  readonly own?: Callee
  /** Identifies the caller for access control; omitted: no check. */
  readonly identify?: Identify
}

/** Returns the denial of a call by the callee's access control (Dapr: pkg/api/grpc, CallLocal); undefined: allowed. An app may call itself. */
const accessDenied = (
  {id, opening: {accessControl, counters}}: Callee,
  call: Call,
  identify: () => CallerIdentity | undefined
): Denied | undefined =>
  accessControl === undefined || call.caller === id ? undefined : accessControl.refusal(call, identify(), counters)

/** Returns the function that admits calls to apps: it checks access control, then asks the queue of the callee or of one of its instances. */
export function admitBy({find, elsewhere, own, identify}: AdmitOptions): Admit {
  const admit: Admit = (call, isRefused, caller) => {
    const callee = find(call.callee)
    if (callee === undefined) return elsewhere(call, isRefused, caller)
    if (identify !== undefined) {
      const first = callee instanceof Instances ? callee.first : callee
      const denied = first && accessDenied(first, call, () => caller ?? identify(call.caller))
      if (denied !== undefined) return denied
    }
    if (isRefused === true && !(callee instanceof Instances)) callee.recheck()
    const admission = callee instanceof Instances ? callee.admit(call, {isRefused, own}) : admitTo(callee, call)
    const again = (): Admission | Held | undefined =>
      hasLeft(callee) && find(call.callee) !== undefined ? admit(call, false, caller) : undefined
    return isHeld(admission) ? orElse(admission, again) : admission
  }
  return admit
}

const hasLeft = (callee: Callee | Instances): boolean =>
  callee instanceof Instances ? callee.callees.every(each => each.queue.isClosed) : callee.queue.isClosed

/** Asks for admission again if the app that has queued a call leaves the run: another version may have the id by then. */
function orElse(held: Held, again: () => Admission | Held | undefined): Held {
  let waits: Held | undefined = held
  const admitted = held.admitted.then(async admission => {
    const later = admission.ok || waits === undefined ? undefined : again()
    if (later === undefined) return admission
    if (!isHeld(later)) return later
    waits = later
    return later.admitted
  })
  const cancel = (): void => {
    waits?.cancel()
    waits = undefined
  }
  return {...held, admitted, cancel}
}

/** The wait of a call in the queue of one of several instances. */
interface Wait {
  readonly callee: Callee
  readonly held: Held
}

/** Waits at several instances until one admits the call, or all deny it. `decided`: called with the instance whose decision is used. */
function atFirst(waits: readonly Wait[], decided: (callee: Callee) => void): Held {
  const {promise, resolve, reject} = Promise.withResolvers<Admission>()
  const cancel = (): void => waits.forEach(({held}) => held.cancel())
  const waiting = new Set(waits)
  let isDecided = false
  const settle = (wait: Wait, admission: Admission): void => {
    waiting.delete(wait)
    if (isDecided) {
      if (admission.ok) admission.leave()
    } else if (admission.ok || waiting.size === 0) {
      isDecided = true
      decided(wait.callee)
      resolve(admission)
      cancel()
    }
  }
  for (const wait of waits) void wait.held.admitted.then(admission => settle(wait, admission), reject)
  return {onCounted: countedBy(waits), reason: waits[0]?.held.reason, admitted: promise, cancel}
}

/** Returns the `onCounted` of a wait at several instances: timeouts of policies include it while one instance is at its `appMaxConcurrency`. */
function countedBy(waits: readonly Wait[]): NonNullable<Held['onCounted']> {
  return listener => {
    const counted = new Set<Held>()
    for (const {held} of waits)
      held.onCounted?.(isCounted => {
        if (isCounted) counted.add(held)
        else counted.delete(held)
        listener(counted.size > 0)
      })
  }
}

export interface InstanceCall {
  /** Whether the chosen instance has just refused a connection. */
  readonly isRefused?: boolean | undefined
  /** The app whose sidecar received the call. */
  readonly own?: Callee | undefined
}

/**
 * Several instances of one app. Distributes calls round robin over the instances that admit them at once, and skips an instance at its
 * `appMaxConcurrency` while another has a free slot. (Least-in-flight would send nearly all calls to an instance that fails fast.) As in Dapr
 * (`invokeLocal`), the calling instance itself gets an app's call to itself.
 */
export class Instances {
  readonly callees: readonly Callee[]
  #last = -1
  /** The instance to which each call was sent. */
  readonly #chosen = new WeakMap<Call, Callee>()

  constructor(callees: readonly Callee[]) {
    this.callees = callees
  }

  /** The first instance: all have the same access control. */
  get first(): Callee | undefined {
    return this.callees[0]
  }

  admit(call: Call, {isRefused = false, own}: InstanceCall = {}): Admission | Held {
    const refuser = isRefused ? this.#chosen.get(call) : undefined
    refuser?.recheck()
    const isOwn = own?.id === call.caller && own !== refuser && own.queue.isOpen && this.callees.includes(own)
    const callee = isOwn ? own : this.#next(refuser)
    return callee === undefined ? this.#wait(call) : this.#send(callee, call)
  }

  /** Returns the next open instance with a free slot, except `refuser`. If there is none, returns the open instance with the fewest waiting calls. */
  #next(refuser: Callee | undefined): Callee | undefined {
    const {callees} = this
    for (let step = 1; step <= callees.length; step++) {
      const at = (this.#last + step) % callees.length
      const callee = callees[at]
      if (callee === undefined || callee === refuser || !callee.queue.isOpen || callee.limiter.isFull) continue
      this.#last = at
      return callee
    }
    return callees.filter(({queue}) => queue.isOpen).toSorted((a, b) => a.limiter.waiting - b.limiter.waiting)[0]
  }

  #send(callee: Callee, call: Call): Admission | Held {
    this.#chosen.set(call, callee)
    return admitTo(callee, call)
  }

  /** Queues the call at all instances, and uses the first instance that admits it. Denies the call if all deny it. */
  #wait(call: Call): Admission | Held {
    const waits: Wait[] = []
    let denied: Admission | undefined
    for (const callee of this.callees) {
      const admission = this.#send(callee, call)
      if (isHeld(admission)) waits.push({callee, held: admission})
      else if (admission.ok) {
        for (const {held} of waits) held.cancel() // an unhealthy instance admits a gRPC call, as in Dapr
        return admission
      } else denied ??= admission
    }
    return waits.length === 0 && denied !== undefined
      ? denied
      : atFirst(waits, callee => void this.#chosen.set(call, callee))
  }
}
