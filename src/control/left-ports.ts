import {connect, type Server} from 'node:net'
import {join} from 'node:path'
import {PORT_WANTED} from '../model/app-name.ts'
import type {Environment} from '../model/environment.ts'
import {pause} from '../platform/delay.ts'
import {SHARED_HOST} from '../platform/probe.ts'
import {isSuspended} from '../platform/process-table.ts'
import {boundAt, release} from '../proxy/net/claimed-server.ts'
import {listen} from '../proxy/ports/bind.ts'
import {livingRuns, type LivingRun} from './living-runs.ts'
import {startingRuns} from './starting-runs.ts'

/** How long a run may take to leave a port now, in ms. */
const ANSWER_MS = 2000
/** The shortest and the longest pause between two looks at a port, in ms. */
const LOOK_MS = {least: 20, most: 2000}
/** Number of looks after which a port counts as another program's: a run that starts has its port before it registers. */
const LOOKS = 7
/** Commands that may belong to a run which has not registered yet; '': an unknown command. */
const MAY_BE_RUN = /^$|pillion/i

/** A port that a run asks another one for. */
export interface WantedPort {
  readonly port: number
  readonly when: 'now' | 'at the end'
  /** Whether to listen at an address that the other run leaves: it may have several ports. */
  readonly isWanted: (address: string, port: number) => boolean
  /** Whether to listen at `SHARED_HOST` while the other run still listens there. */
  readonly isShared?: boolean
  readonly signal?: AbortSignal
}

/** The program at a port. `owner`: its command and pid; '': unknown, or nothing listens. */
export type PortHolder =
  | {readonly kind: 'run'; readonly run: LivingRun}
  | {readonly kind: 'starting run'}
  | {readonly kind: 'program'; readonly owner: string}

/** Finds the run of this user that has a port, or another program. */
export async function holderOf(env: Environment, port: number): Promise<PortHolder> {
  const ofEntrance = livingRuns(env).find(({pid, entrance = []}) => pid !== process.pid && entrance.includes(port))
  if (ofEntrance !== undefined) return {kind: 'run', run: ofEntrance}
  const {ownerOf} = await import('../platform/port-owners.ts')
  const {pid = 0, command = ''} = (await ownerOf(port)) ?? {}
  // a starting run may register meanwhile
  const isStarting = startingRuns(env).some(each => each.pid === pid)
  const run = livingRuns(env).find(each => each.pid === pid && pid !== process.pid)
  if (run !== undefined) return {kind: 'run', run}
  if (isStarting) return {kind: 'starting run'}
  return {kind: 'program', owner: pid === 0 ? '' : `${command} (pid ${pid})`}
}

/** Returns why host names do not answer at the port of this run or program; '': the run answers, or is about to. */
export function whySilent(holder: PortHolder): string {
  if (holder.kind === 'program')
    return `${holder.owner || 'a program of another user'} has it. Calls at localhost:PORT do. PILLION_NAMES_PORT names another port`
  if (holder.kind === 'starting run' || !isSuspended(holder.run.pid)) return ''
  const {name, pid} = holder.run
  return `${name} (pid ${pid}) has it and is suspended. Resume it with fg in its terminal, or with kill -CONT ${pid}`
}

/** Asks the run that listens at a port for others, as the entrance or for an ended copy, to leave it now. Resolves with the servers that listen there; none if no run leaves it. */
export async function bindFreed(env: Environment, port: number, hosts: readonly string[]): Promise<readonly Server[]> {
  const holder = livingRuns(env).find(({entrance = [], takenOver = []}) => [...entrance, ...takenOver].includes(port))
  return holder === undefined ? [] : bindLeft(holder, {port, when: 'now', isWanted: host => hosts.includes(host)})
}

/** Asks a run for a port, and binds the addresses that it leaves one by one. Settles when that run has ended or has the port no longer. */
export async function bindLeft(
  {home}: Pick<LivingRun, 'home'>,
  {port, when, isWanted, isShared = false, signal}: WantedPort
): Promise<readonly Server[]> {
  const holder = connect({path: join(home, 'socket'), allowHalfOpen: true, ...(signal && {signal})})
  if (when === 'now') holder.setTimeout(ANSWER_MS, () => holder.destroy(new Error('no answer')))
  else holder.unref()
  const lines = `Upgrade: ${PORT_WANTED}\r\nPillion-Port: ${port}\r\nPillion-When: ${when}\r\n`
  holder.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n${lines}\r\n`)
  const bound: Server[] = []
  try {
    for await (const piece of holder.setEncoding('latin1')) {
      const [address = '', number = ''] = String(piece).split(' ')
      const isBound = bound.some(each => boundAt(each).address === address && boundAt(each).port === Number(number))
      const isNew = !isBound && isWanted(address, Number(number))
      const mayShare = isShared && address === SHARED_HOST
      // an address that is not free yet is left later
      if (isNew) bound.push(...(await listen(Number(number), [address], [], mayShare).catch(() => [])))
      holder.write('\n')
    }
  } catch {
    // the run was killed, or does not answer
  }
  return bound
}

/** A port at which to listen once its holder has left it. */
export interface AwaitedPort extends Omit<WantedPort, 'when'> {
  readonly env: Environment
  readonly signal: AbortSignal
  /** Called when another run or program has the port. Returns whether to wait for its end. */
  readonly held: (holder: PortHolder) => boolean
  /** Listens at the port, at some of whose addresses the `bound` servers listen already. Resolves with false if it is taken. */
  readonly take: (bound: readonly Server[]) => Promise<boolean>
}

/** Listens at a port as soon as no other run or program does. */
export async function takeInTurn({env, held, take, ...wanted}: AwaitedPort): Promise<void> {
  const {port, signal} = wanted
  for (let [looks, ms] = [LOOKS, LOOK_MS.least]; !signal.aborted; await pause(ms, signal)) {
    const since = performance.now()
    const holder = await holderOf(env, port)
    looks = holder.kind === 'program' ? looks - 1 : LOOKS
    const isKnown = holder.kind !== 'program' || looks <= 0 || !MAY_BE_RUN.test(holder.owner)
    if (isKnown && !held(holder)) return
    const bound = holder.kind === 'run' ? await bindLeft(holder.run, {...wanted, when: 'at the end'}) : []
    if (signal.aborted) return bound.forEach(release)
    if (await take(bound)) return
    const isNews = performance.now() - since > LOOK_MS.most
    ms = isNews ? LOOK_MS.least : Math.min(2 * ms, LOOK_MS.most)
  }
}
