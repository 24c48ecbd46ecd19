import type {IncomingMessage} from 'node:http'
import {connect, type Socket} from 'node:net'
import {systemClock} from './clock.ts'
import {pause} from './delay.ts'
import {hasTable, isListenedOn} from './listeners.ts'

/** The addresses at which an app is expected to listen, in the order in which they are tried. */
export interface ProbeTarget {
  readonly addresses: readonly string[]
  readonly port: number
}

/** A Node server on `localhost` may listen on either. */
export const LOOPBACK = ['127.0.0.1', '::1']
/** The address at which the next run listens before the run with the entrance closes it, so that no caller is refused. */
export const SHARED_HOST = '127.0.0.1'
const TABLE = '/proc/net/tcp6'
/** Advice for a missing loopback address, at which sidecars listen and apps call them. */
export const GIVE_LOOPBACK = 'Give it to the loopback interface: ip addr add 127.0.0.1/8 dev lo; ip link set lo up'

/** Timeout of an attempt, in ms. On the loopback an answer takes microseconds. */
const ATTEMPT_TIMEOUT_MS = 1000

/** An attempt costs 0.3 ms: hundreds of apps that boot need the processors themselves. */
const SHARE_MS = 0.5

/** Returns the pause before the next attempt, by the time since the first: 5 ms, then 25 ms, then 250 ms; longer while more than ten apps are probed. */
export const pauseAfter = (elapsedMs: number, probed = 1): number =>
  Math.max(elapsedMs < 1000 ? 5 : elapsedMs < 10_000 ? 25 : 250, probed * SHARE_MS)

let polls = 0

/** Repeats an attempt until it succeeds (true) or the signal is aborted (false). */
export async function poll(attempt: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const start = performance.now()
  polls++
  try {
    while (!signal.aborted) {
      if (await attempt()) return !signal.aborted
      await pause(pauseAfter(performance.now() - start, polls), signal)
    }
    return false
  } finally {
    polls--
  }
}

/** Returns the first address that accepts a connection, if any. */
export async function firstAccepting({addresses, port}: ProbeTarget): Promise<string | undefined> {
  for (const address of addresses) if (mayAccept(address, port) && (await accepts(address, port))) return address
  return undefined
}

/** Whether an attempt may succeed, by Linux' list of sockets on ::1: connecting to the first IPv6 address costs Node 8 ms. */
const mayAccept = (address: string, port: number): boolean =>
  address !== '::1' || !hasTable(TABLE) || isListenedOn({port, addresses: [address], tables: [TABLE]})

const accepts = async (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({host, port, timeout: ATTEMPT_TIMEOUT_MS})
    const settle = (isAccepted: boolean): void => {
      socket.destroy()
      resolve(isAccepted)
    }
    socket.once('connect', () => {
      if (!isItsOwnPeer(socket)) return settle(true)
      socket.resetAndDestroy() // at once, so that the app can bind its port
      resolve(false)
    })
    socket.once('timeout', () => settle(false))
    socket.on('error', () => settle(false)) // refused, or no such address here
  })

/**
 * Whether a socket is connected to itself. Without a listener the kernel may choose the target port as the
 * local port (simultaneous open, RFC 9293 3.5). This is rare, but we try often.
 */
export const isItsOwnPeer = ({localPort, remotePort, localAddress, remoteAddress}: Socket): boolean =>
  localPort === remotePort && localAddress === remoteAddress

export interface Page {
  readonly host: string
  readonly port: number
  readonly path: string
  /** Over TLS; the certificate of a local app is not verified. */
  readonly isSecure: boolean
  readonly timeoutMs?: number
}

/** Returns the status of a GET; 0 without a response. As in Go, a path may have any characters. */
export async function statusOf({host, port, path, isSecure, timeoutMs = ATTEMPT_TIMEOUT_MS}: Page): Promise<number> {
  const {get} = isSecure ? await import('node:https') : await import('node:http')
  return new Promise(resolve => {
    const plain = path.toWellFormed().replaceAll(/[^!-~]+/g, encodeURI)
    const options = {host, port, path: plain, agent: false, rejectUnauthorized: false}
    const request = get(options, (response: IncomingMessage) => settle(response.statusCode ?? 0))
    const settle = (status: number): void => {
      callOff()
      resolve(status)
      request.destroy()
    }
    // limits the whole head, which may arrive byte by byte
    const callOff = systemClock.after(timeoutMs, () => settle(0))
    // refused, reset, not HTTP; or another protocol instead of a status, which ends without an error
    request.on('error', () => settle(0)).once('close', () => settle(0))
  })
}
