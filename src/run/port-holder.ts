import type {Server} from 'node:net'
import {AGAIN_MS, folderMark, PortHolder, TRIES} from '../control/names.ts'
import {pause} from '../platform/delay.ts'
import {LOOPBACK} from '../platform/probe.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {isFreePort, whoHolds} from '../proxy/ports/app-port.ts'
import {nameOwner} from '../proxy/ports/claim-all.ts'

export interface Awaited {
  readonly port: number
  /** The folder in which runs of this user register. */
  readonly folder: string
  readonly signal: AbortSignal
  /** Called with the reason why names do not answer: another program has the port. Empty if a run of this user has it. */
  readonly held: (why: string) => void
  /** Opens the entrance, for which these servers listen already. Resolves with false if its port is taken. */
  readonly take: (bound: readonly Server[]) => Promise<boolean>
}

/** How long until a port is looked at again that another program has, in ms. */
const LOOK_MS = 2000
/** How long a run that binds the port may take to answer, in ms, before it counts as another program. */
const ANSWER_MS = 5000

/** Takes the entrance as soon as the run that has it, or another program, no longer does. */
export async function takeInTurn({port, folder, signal, held, take}: Awaited): Promise<void> {
  for (let tries = TRIES; !signal.aborted;) {
    const holder = new PortHolder({host: '127.0.0.1', port}, signal, ANSWER_MS)
    const mark = await holder.mark
    let bound: readonly Server[] = []
    if (mark === folderMark(folder)) {
      held('')
      bound = await holder.left(LOOPBACK, true)
      tries = TRIES
    } else if (mark === 'refused' && tries-- > 0) await pause(AGAIN_MS, signal)
    else if (!signal.aborted) {
      const isPlain = ['', 'refused'].includes(mark)
      const whose = isPlain ? await whoHolds(port, {code: 'EADDRINUSE'}, nameOwner) : 'the runs of another user have it'
      held(
        `names do not answer at port ${port}: ${whose}. Calls at localhost:PORT do. PILLION_NAMES_PORT names another port`
      )
      if (!isPlain) bound = await holder.left(LOOPBACK, true)
      else while (!signal.aborted && !(await isFreePort(port))) await pause(LOOK_MS, signal)
      tries = TRIES
    }
    if (signal.aborted) bound.forEach(release)
    else if (await take(bound)) return
  }
}
