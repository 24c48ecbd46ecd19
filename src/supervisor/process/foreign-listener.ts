import type {AppPlan} from '../../model/plan.ts'
import type {Owner} from '../../platform/port-owners.ts'
import {pause} from '../../platform/delay.ts'
import {LOOPBACK, firstAccepting} from '../../platform/probe.ts'
import {listenersOf, type Marked} from './background-server.ts'

/** Interval of checks of a foreign listener, in ms: a check is expensive, and such a listener seldom ends. */
const LOOK_EVERY_MS = 250

/** A process of another program that listened at an app's port before the app started. Its responses do not make the app ready. */
export class ForeignListener {
  readonly port: number
  /** Owner of the port; undefined: the system does not report it. */
  readonly owner: Owner | undefined
  #hasLeft = false

  constructor(port: number, owner: Owner | undefined) {
    this.port = port
    this.owner = owner
  }

  /**
   * Resolves with whether the listener at this address is the app: the port was free in between, or the socket belongs to the app's process group
   * or to a process with its marker. `address`: undefined: nothing listens now.
   */
  async makesWay(address: string | undefined, app: Marked): Promise<boolean> {
    if (address === undefined) this.#hasLeft = true
    if (this.#hasLeft || address === undefined) return true
    const {found} = await listenersOf(app, {port: this.port, addresses: [address]})
    const isApp = found === undefined || found.length > 0 // undefined counts as the app, which would otherwise wait forever
    if (!isApp) await pause(LOOK_EVERY_MS)
    return isApp
  }
}

/**
 * Finds listeners at the app's ports before its first spawn: its own port, and `readyPort`, which makes it ready. Skips a port that Pillion has
 * chosen, which is free, unless another process had it before (`isReplacing`).
 */
export async function findForeignListeners(
  {channel: {address, autoPort}}: AppPlan,
  {appPort, isReplacing}: {readonly appPort: number; readonly isReplacing: boolean},
  readyPort: number
): Promise<readonly ForeignListener[]> {
  if (address !== '') return []
  const allocated = autoPort && !isReplacing ? appPort : 0
  const found = await Promise.all(
    [...new Set([appPort, readyPort])].map(async port => {
      if (port === 0 || port === allocated) return []
      const isTaken = (await firstAccepting({addresses: LOOPBACK, port})) !== undefined
      if (!isTaken) return []
      const {ownerOf} = await import('../../platform/port-owners.ts')
      return [new ForeignListener(port, await ownerOf(port))]
    })
  )
  return found.flat()
}
