import {isHeld, type Admission, type Admit} from '../../../src/proxy/gateway/admission.ts'
import type {Call} from '../world.ts'
import type {Machine} from './machine.ts'

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

/** So often it is looked whether a sidecar is open again. */
const LOOKS = 40

/** Calls that pass the admission of the callee, and are handled by its process for a while. */
export class SimulatedCalls {
  readonly all: Mutable<Call>[] = []
  readonly delivered: string[] = []
  readonly #machine: Machine

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** `port`: of the callee, where it is called from outside. */
  make({from, to, port}: {readonly from: string; readonly to: string; readonly port?: number}): void {
    const call: Mutable<Call> = {number: this.#machine.next().toString(), from, to, status: undefined, body: ''}
    this.all.push(call)
    void this.#send(call, port).catch((error: unknown) => {
      call.status = 0
      call.body = String(error)
    })
  }

  /** Its port stays open while an edit opens it again. */
  async #sidecarOf(id: string): Promise<{readonly admit: Admit} | undefined> {
    for (let i = 0; i < LOOKS; i++) {
      const sidecar = [...this.#machine.sidecars.values()].find(each => each.id === id)
      if (sidecar !== undefined) return sidecar
      await this.#machine.takes(100)
    }
    return undefined
  }

  async #send(call: Mutable<Call>, port: number | undefined): Promise<void> {
    const {number, from, to} = call
    const {bound} = this.#machine
    const way = port === undefined ? await this.#sidecarOf(from) : bound.get(port)?.()
    if (way === undefined) throw new Error(port === undefined ? 'its sidecar is closed' : 'nothing listens')
    const asked = way.admit({caller: from, callee: to, method: 'POST', path: `/x?call=${number}`}, false)
    const admission: Admission = isHeld(asked) ? await asked.admitted : asked
    if (!admission.ok) {
      call.status = 500
      call.body = admission.error
      return
    }
    const process = this.#machine.living.find(({pid, listens}) => pid === admission.pid && listens !== 0)
    if (process !== undefined) {
      this.delivered.push(number)
      await this.#machine.takes(200)
    }
    const isBroken = process?.endedAt !== undefined
    admission.leave(isBroken)
    call.status = process === undefined || isBroken ? 500 : 200
    call.body = process === undefined ? 'nobody listens' : isBroken ? 'the process ended' : ''
  }
}
