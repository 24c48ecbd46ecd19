import {connect} from 'node:net'
import {fnv1a} from '../model/fnv1a.ts'
import {pause} from '../platform/delay.ts'
import {whoHolds} from '../proxy/ports/app-port.ts'
import {nameOwner} from '../proxy/ports/claim-all.ts'
import {WAITING} from '../proxy/published/entrance.ts'

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
const AGAIN_MS = 20

/** Identifies a folder of runs without its path. */
export const folderMark = (folder: string): string => fnv1a(Buffer.from(folder)).toString(16)

/** Settles when the entrance may be free: the run that has it, or another program, no longer does. */
export async function awaitEntrance({port, folder, signal, foreign}: Awaited): Promise<void> {
  const holder = new Holder(port, signal)
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

/** A connection to the program that has the entrance: it closes when that ends. */
class Holder {
  readonly closed: Promise<void>
  /** The mark of its folder; '' = it is not a run; `refused`: nothing listens. */
  readonly mark: Promise<string>

  constructor(port: number, signal: AbortSignal) {
    const socket = connect({host: '127.0.0.1', port})
    const {promise, resolve} = Promise.withResolvers<string>()
    const closed = Promise.withResolvers<void>()
    this.mark = promise
    this.closed = closed.promise
    let text = ''
    let why = ''
    const end = (): void => void socket.destroy()
    const late = setTimeout(end, ANSWER_MS).unref()
    signal.addEventListener('abort', end, {once: true})
    socket.unref().setEncoding('latin1')
    socket.write(`GET /${WAITING} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${WAITING}\r\n\r\n`)
    socket
      .on('data', (more: string) => {
        text += more
        if (!text.includes('\r\n\r\n') && text.length < 4096) return
        const mark = /^HTTP\/1\.1 101 [^]*\r\nPillion-Folder: (\w+)\r\n/.exec(text)?.[1] ?? ''
        clearTimeout(late)
        resolve(mark)
        if (mark === '') end()
      })
      .on('error', error => {
        why = (error as NodeJS.ErrnoException).code ?? ''
      })
      .on('end', end)
      .on('close', () => {
        clearTimeout(late)
        signal.removeEventListener('abort', end)
        // a run that has just ended resets waiting connections
        resolve(text === '' && why !== '' ? 'refused' : '')
        closed.resolve()
      })
  }
}
