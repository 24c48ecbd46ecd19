import type {AppPlan} from '../../model/plan.ts'
import type {Owner} from '../../platform/port-owners.ts'
import {pause} from '../../platform/delay.ts'
import {LOOPBACK, firstAccepting} from '../../platform/probe.ts'
import {listenersOf, type Marked} from './background-server.ts'

/** Interval of looks at a foreign listener, in ms: they are expensive, and it seldom vanishes. */
const LOOK_EVERY_MS = 250

/** A process that listened on an app's port before the app started. Its answers do not make the app ready. */
export class ForeignListener {
  readonly port: number
  /** Undefined if the system does not provide it. */
  readonly owner: Owner | undefined
  #hasLeft = false

  constructor(port: number, owner: Owner | undefined) {
    this.port = port
    this.owner = owner
  }

  /**
   * Whether the listener at this address is the app and not the foreign process: nothing accepted in between, or its socket belongs to
   * the app's process group or to a process with its marker.
   */
  async makesWay(address: string | undefined, app: Marked): Promise<boolean> {
    if (address === undefined) this.#hasLeft = true
    if (this.#hasLeft || address === undefined) return true
    const {found} = await listenersOf(app, {port: this.port, addresses: [address]})
    const isApp = found === undefined || found.length > 0 // where that is unknown, an app that listens must not wait forever
    if (!isApp) await pause(LOOK_EVERY_MS)
    return isApp
  }
}

/**
 * Finds ports of the app on this machine that are in use before the first spawn: its own, and `readyPort`, which makes it ready. A port
 * that we allocated is not checked, unless another program had it before (`isReplacing`), which a debugger may have left.
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
