import type {Server} from 'node:net'
import {AGAIN_MS, folderMark, PortHolder, TRIES} from '../control/names.ts'
import {livingRunsIn} from '../control/living-runs.ts'
import {pause} from '../platform/delay.ts'
import {LOOPBACK} from '../platform/probe.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {isFreePort} from '../proxy/ports/app-port.ts'
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
    if (mark === 'refused' && tries-- > 0) await pause(AGAIN_MS, signal)
    else if (!signal.aborted) {
      tries = TRIES
      held(mark === folderMark(folder) ? '' : await textOf(port, isRun(mark)))
      const hasRun = (): boolean => livingRunsIn(folder).some(({entrance = []}) => entrance.includes(port))
      while (!isRun(mark) && !signal.aborted && !hasRun() && !(await isFreePort(port))) await pause(LOOK_MS, signal)
    }
    const bound = await holder.left(LOOPBACK, true)
    if (signal.aborted) bound.forEach(release)
    else if (await take(bound)) return
  }
}

const isRun = (mark: string): boolean => mark !== '' && mark !== 'refused'

async function textOf(port: number, isOfRuns: boolean): Promise<string> {
  const owner = isOfRuns ? 'a run of another user' : (await nameOwner(port)) || 'a program of another user'
  return `names do not answer at port ${port}: ${owner} has it. Calls at localhost:PORT do. PILLION_NAMES_PORT names another port`
}
