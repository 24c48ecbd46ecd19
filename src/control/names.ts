import {connect, type Server, type Socket, type TcpNetConnectOpts} from 'node:net'
import {join} from 'node:path'
import {FREE_PORT, WAITING} from '../model/app-name.ts'
import type {Environment} from '../model/environment.ts'
import {fnv1a} from '../model/fnv1a.ts'
import {emptyRecord, ownOf} from '../model/own.ts'
import {SHARED_HOST} from '../platform/probe.ts'
import {boundAt} from '../proxy/net/claimed-server.ts'
import {listen} from '../proxy/ports/bind.ts'
import {livingRuns, livingRunsIn, type LivingRun} from './living-runs.ts'

/** How long a run may take to free a port, in ms. */
const ANSWER_MS = 2000
/** The pause, in ms, where a port was given up just now, and the number of tries there. */
export const AGAIN_MS = 20
export const TRIES = 50

/** Identifies a folder of runs without its path. */
export const folderMark = (folder: string): string => fnv1a(Buffer.from(folder)).toString(16)

/** A host name of an app of a run. */
export interface RunName {
  readonly name: string
  readonly app: string
  readonly run: LivingRun
}

/** A name that this run asked for, and the run that has it. */
export interface TakenName extends RunName {
  /** The app of this run that was to have it. */
  readonly wantedBy: string
}

/** Divides the names that a run asks for into those that no other living run in the folder `runs` has, and the others. */
export function freeNames(
  runs: string,
  wanted: Readonly<Record<string, string>> = {}
): {readonly free: Readonly<Record<string, string>>; readonly taken: readonly TakenName[]} {
  const free = emptyRecord<string>()
  const taken: TakenName[] = []
  const others = Object.keys(wanted).length === 0 ? [] : livingRunsIn(runs).filter(({pid}) => pid !== process.pid)
  for (const [name, wantedBy] of Object.entries(wanted)) {
    const owner = ownerAmong(others, name)
    if (owner === undefined) free[name] = wantedBy
    else taken.push({...owner, wantedBy})
  }
  return {free, taken}
}

/** The run of this user that has a host name; undefined: none has. */
export const ownerOfName = (env: Environment, name: string): RunName | undefined => ownerAmong(livingRuns(env), name)

/** Asks the run that has a port in the place of others to leave it. Resolves with the servers that listen there; none if no run leaves it. */
export async function bindFreed(env: Environment, port: number, hosts: readonly string[]): Promise<readonly Server[]> {
  const holder = livingRuns(env).find(({entrance = [], takenOver = []}) => [...entrance, ...takenOver].includes(port))
  if (holder === undefined) return []
  const socket = connect({path: join(holder.home, 'socket'), allowHalfOpen: true})
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')))
  const asked = `Connection: Upgrade\r\nUpgrade: ${FREE_PORT}\r\nPillion-Port: ${port}`
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${asked}\r\n\r\n`)
  // its end lets the other run wait for the port again
  return bindLeft(socket, port, hosts)
}

function ownerAmong(runs: readonly LivingRun[], name: string): RunName | undefined {
  const run = runs.find(({names = {}}) => ownOf(names, name) !== undefined)
  return run && {name, app: ownOf(run.names ?? {}, name) ?? '', run}
}

/** Binds the addresses of a port that another run leaves one by one: it sends each, and waits for an answer. Settles when the connection ends. */
async function bindLeft(
  holder: Socket,
  port: number,
  hosts: readonly string[],
  isShared = false
): Promise<readonly Server[]> {
  const bound: Server[] = []
  try {
    for await (const piece of holder.setEncoding('latin1')) {
      const address = String(piece)
      const isNew = hosts.includes(address) && bound.every(each => boundAt(each).address !== address)
      // an address that is not free yet is left later
      if (isNew) bound.push(...(await listen(port, [address], [], isShared && address === SHARED_HOST).catch(() => [])))
      holder.write('\n')
    }
  } catch {
    // the run was killed
  }
  return bound
}

/** A connection to the program that has a port. */
export class PortHolder {
  /** The mark of its folder, `port` for an app of a run; '' = it is not a run; `refused`: nothing listens, or a run that ends has closed it. */
  readonly mark: Promise<string>
  readonly #socket: Socket
  readonly #port: number

  /** `answerMs`: how long it may take to answer; left out: a run may answer late, since it starts. */
  constructor(at: TcpNetConnectOpts, signal: AbortSignal, answerMs?: number) {
    const socket = connect(at)
    const {promise, resolve} = Promise.withResolvers<string>()
    this.mark = promise
    this.#socket = socket
    this.#port = at.port
    const end = (): void => void socket.destroy()
    const answered = (mark: string): void => {
      resolve(mark)
      if (mark === '') end()
    }
    if (answerMs !== undefined) socket.setTimeout(answerMs, () => answered(''))
    signal.addEventListener('abort', end, {once: true})
    socket.unref().setEncoding('latin1')
    socket.write(`GET /${WAITING} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${WAITING}\r\n\r\n`)
    socket
      .once('data', (answer: string) => {
        const mark = /^HTTP\/1\.1 101 [^]*\r\nPillion-Holder: (\w+)\r\n/.exec(answer)?.[1] ?? ''
        socket.setTimeout(0)
        answered(mark)
      })
      .on('error', end)
      .on('end', end)
      .on('close', () => {
        signal.removeEventListener('abort', end)
        resolve('refused')
      })
  }

  /** Binds the addresses that the run leaves one by one when it ends. Settles when it has ended. */
  async left(hosts: readonly string[], isShared = false): Promise<readonly Server[]> {
    return bindLeft(this.#socket, this.#port, hosts, isShared)
  }
}
