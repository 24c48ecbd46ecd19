import {accessDenied, type Identify} from './access.ts'
import type {Call} from '../model/call.ts'
import type {Admission, Admit, Held} from './admission.ts'
import {admitTo, type Callee} from './local-apps.ts'

/** Finds who answers for an id in the run: one app, or several instances of it. */
export type FindCallee = (id: string) => Callee | Instances | undefined

export interface AdmitOptions {
  readonly find: FindCallee
  /** Takes the calls to no app of the run. */
  readonly elsewhere: Admit
  /** The app whose sidecar took the calls. */
  readonly own?: Callee
  /** Who calls, for access control; left out: nothing is checked. */
  readonly identify?: Identify
}

/** The way of every call to an app: past its access control to its queue, or to that of one of its instances. */
export const admitBy =
  ({find, elsewhere, own, identify}: AdmitOptions): Admit =>
  (call, isRefused, caller) => {
    const callee = find(call.callee)
    if (callee === undefined) return elsewhere(call, isRefused, caller)
    if (identify !== undefined) {
      const first = callee instanceof Instances ? callee.first : callee
      const denied = first && accessDenied(first, call, () => caller ?? identify(call.caller))
      if (denied !== undefined) return denied
    }
    if (callee instanceof Instances) return callee.admit(call, {isRefused, own})
    if (isRefused === true) callee.recheck()
    return admitTo(callee, call)
  }

export interface InstanceCall {
  /** Connecting to the instance that it went to was refused just now. */
  readonly isRefused?: boolean | undefined
  /** The app whose sidecar took the call. */
  readonly own?: Callee | undefined
}

/**
 * Several instances of one app. Calls go round robin over those that let in at once; one at its `appMaxConcurrency` is passed
 * over while another has a free place. Round robin rather than least in flight: an instance that fails fast would draw
 * nearly all calls. An app that calls itself is answered by the instance that calls, as in Dapr (`invokeLocal`).
 */
export class Instances {
  readonly callees: readonly Callee[]
  #last = -1
  /** Whom each call went to. */
  readonly #went = new WeakMap<Call, Callee>()

  constructor(callees: readonly Callee[]) {
    this.callees = callees
  }

  /** All have the access control of the first. */
  get first(): Callee | undefined {
    return this.callees[0]
  }

  admit(call: Call, {isRefused = false, own}: InstanceCall = {}): Admission | Held {
    const refuser = isRefused ? this.#went.get(call) : undefined
    refuser?.recheck()
    const isOwn = own?.id === call.caller && own !== refuser && own.queue.isOpen && this.callees.includes(own)
    const callee = isOwn ? own : this.#next(refuser)
    return callee === undefined ? this.#wait(call) : this.#send(callee, call)
  }

  /** The next one that lets in at once, not the one that refused if there is another; undefined: none does. */
  #next(refuser: Callee | undefined): Callee | undefined {
    const {callees} = this
    for (let step = 1; step <= callees.length; step++) {
      const at = (this.#last + step) % callees.length
      const callee = callees[at]
      if (callee === undefined || callee === refuser || !callee.queue.isOpen || callee.limiter.isFull) continue
      this.#last = at
      return callee
    }
    const open = callees.filter(({queue}) => queue.isOpen)
    return open.toSorted((a, b) => a.limiter.waiting - b.limiter.waiting)[0]
  }

  #send(callee: Callee, call: Call): Admission | Held {
    this.#went.set(call, callee)
    return admitTo(callee, call)
  }

  /** Waits before all instances at once; the first that lets the call in gets it. Denied when none of them will. */
  #wait(call: Call): Admission | Held {
    const waits: {readonly callee: Callee; readonly held: Held}[] = []
    let denied: Admission | undefined
    for (const callee of this.callees) {
      const answer = admitTo(callee, call)
      if ('admitted' in answer) waits.push({callee, held: answer})
      else denied ??= answer
    }
    if (waits.length === 0 && denied !== undefined) return denied
    const cancel = (): void => {
      for (const {held} of waits) held.cancel()
    }
    const {promise, resolve, reject} = Promise.withResolvers<Admission>()
    let left = waits.length
    let isAdmitted = false
    const settle = (callee: Callee, answer: Admission): void => {
      left--
      if (!answer.ok) {
        if (left === 0 && !isAdmitted) resolve(answer)
      } else if (isAdmitted) answer.leave()
      else {
        isAdmitted = true
        this.#went.set(call, callee)
        resolve(answer)
        cancel()
      }
    }
    for (const {callee, held} of waits) void held.admitted.then(answer => settle(callee, answer), reject)
    return {isCounted: waits.every(({held}) => held.isCounted === true), admitted: promise, cancel}
  }
}
