import {connect, type TcpNetConnectOpts} from 'node:net'
import {WAITING} from '../model/app-name.ts'
import {fnv1a} from '../model/fnv1a.ts'
import {pause} from '../platform/delay.ts'
import {whoHolds} from '../proxy/ports/app-port.ts'
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
/** The pause, in ms, where the port was given up just now. */
export const AGAIN_MS = 20

/** Identifies a folder of runs without its path. */
export const folderMark = (folder: string): string => fnv1a(Buffer.from(folder)).toString(16)

/** Settles when the entrance may be free: the run that has it, or another program, no longer does. */
export async function awaitEntrance({port, folder, signal, foreign}: Awaited): Promise<void> {
  const holder = new PortHolder({host: '127.0.0.1', port}, signal, ANSWER_MS)
  const mark = await holder.mark
  if (mark === folderMark(folder)) return holder.closed
  if (signal.aborted) return undefined
  if (mark === 'refused') return pause(AGAIN_MS, signal)
  const whose = mark === '' ? await whoHolds(port, {code: 'EADDRINUSE'}, nameOwner) : 'the runs of another user have it'
  foreign(`names do not answer at port ${port}: ${whose}. Calls at localhost:PORT do`)
  if (mark !== '') return holder.closed
  const {isFreePort} = await import('../proxy/ports/app-port.ts')
  while (!signal.aborted && !(await isFreePort(port))) await pause(LOOK_MS, signal)
  return undefined
}

/** A connection to the program that has a port: it closes when that ends. */
export class PortHolder {
  readonly closed: Promise<void>
  /** The mark of its folder, `port` for an app of a run; '' = it is not a run; `refused`: nothing listens. */
  readonly mark: Promise<string>

  /** `answerMs`: how long it may take to answer; left out: a run may answer late, since it starts. */
  constructor(at: TcpNetConnectOpts, signal: AbortSignal, answerMs?: number) {
    const socket = connect(at)
    const {promise, resolve} = Promise.withResolvers<string>()
    const closed = Promise.withResolvers<void>()
    this.mark = promise
    this.closed = closed.promise
    const end = (): void => void socket.destroy()
    if (answerMs !== undefined) socket.setTimeout(answerMs, end)
    signal.addEventListener('abort', end, {once: true})
    socket.unref().setEncoding('latin1')
    socket.write(`GET /${WAITING} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${WAITING}\r\n\r\n`)
    socket
      .once('data', (answer: string) => {
        const mark = /^HTTP\/1\.1 101 [^]*\r\nPillion-Holder: (\w+)\r\n/.exec(answer)?.[1] ?? ''
        socket.setTimeout(0)
        resolve(mark)
        if (mark === '') end()
      })
      // a run that has just ended resets waiting connections
      .on('error', () => resolve('refused'))
      .on('end', end)
      .on('close', () => {
        signal.removeEventListener('abort', end)
        resolve('')
        closed.resolve()
      })
  }
}
