import type {Server} from 'node:net'
import {AGAIN_MS, folderMark, PortHolder} from '../control/names.ts'
import {pause} from '../platform/delay.ts'
import {LOOPBACK} from '../platform/probe.ts'
import {isFreePort, whoHolds} from '../proxy/ports/app-port.ts'
import {nameOwner} from '../proxy/ports/claim-all.ts'

export interface Awaited {
  readonly port: number
  /** The folder in which runs of this user register. */
  readonly folder: string
  readonly signal: AbortSignal
  /** Called with a warning if a program that is not a run of this user has the port. */
  readonly foreign: (text: string) => void
}

/** How long until a port is looked at again that another program has, in ms. */
const LOOK_MS = 2000
/** How long a run that binds the port may take to answer, in ms, before it counts as another program. */
const ANSWER_MS = 5000
/** Settles when the entrance may be free: the run that has it, or another program, no longer does. Resolves with servers that listen there already. */
export async function awaitEntrance({port, folder, signal, foreign}: Awaited): Promise<readonly Server[]> {
  const holder = new PortHolder({host: '127.0.0.1', port}, signal, ANSWER_MS)
  const mark = await holder.mark
  if (mark === folderMark(folder)) return holder.left(LOOPBACK)
  if (signal.aborted) return []
  if (mark === 'refused') return pause(AGAIN_MS, signal).then(() => [])
  const whose = mark === '' ? await whoHolds(port, {code: 'EADDRINUSE'}, nameOwner) : 'the runs of another user have it'
  foreign(
    `names do not answer at port ${port}: ${whose}. Calls at localhost:PORT do. PILLION_NAMES_PORT names another port`
  )
  if (mark !== '') return holder.left(LOOPBACK)
  while (!signal.aborted && !(await isFreePort(port))) await pause(LOOK_MS, signal)
  return []
}
