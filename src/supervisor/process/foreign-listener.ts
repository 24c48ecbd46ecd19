import type {AppPlan} from '../../model/plan.ts'
import {holds, listenersOn, ownerOf, type Owner} from '../../platform/listeners.ts'
import {pause} from '../../platform/delay.ts'
import {LOOPBACK, firstAccepting} from '../../platform/probe.ts'
import {look} from '../../platform/process-table.ts'

/** Looking for the owner of a socket is dear, and a stranger seldom leaves. */
const LOOK_EVERY_MS = 250

/** Somebody who listened on an app's port before the app was started. That he answers does not make the app ready. */
export class ForeignListener {
  readonly port: number
  /** Undefined where the system does not tell. */
  readonly owner: Owner | undefined
  #hasLeft = false

  constructor(port: number, owner: Owner | undefined) {
    this.port = port
    this.owner = owner
  }

  /**
   * Whether what accepts at this address is the app and not the stranger: he was seen gone (nobody accepted), or the
   * socket that listens there is held by the group of the app or by what carries its mark.
   */
  async makesWay(
    address: string | undefined,
    app: {readonly group: number | undefined; readonly marker: string}
  ): Promise<boolean> {
    if (address === undefined) this.#hasLeft = true
    if (this.#hasLeft || address === undefined) return true
    const sockets = listenersOn({port: this.port, addresses: [address]})
    const {all, carries} = await look()
    const isApp = all.some(({pid, group}) => (group === app.group || carries(pid, app.marker)) && holds(pid, sockets))
    if (!isApp) await pause(LOOK_EVERY_MS)
    return isApp
  }
}

/**
 * Looks before a first spawn whether the app's port on this machine answers already. One that we allocated is nobody
 * else's.
 */
export async function findForeignListener({channel}: AppPlan, port: number): Promise<ForeignListener | undefined> {
  if (port === 0 || channel.autoPort || channel.address !== '') return undefined
  const isTaken = (await firstAccepting({addresses: LOOPBACK, port})) !== undefined
  return isTaken ? new ForeignListener(port, await ownerOf(port)) : undefined
}
