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
const TABLE = '/proc/net/tcp6'
/** Advice if the loopback address is missing: sidecars listen there, and apps expect them there. */
export const GIVE_LOOPBACK = 'Give it to the loopback interface: ip addr add 127.0.0.1/8 dev lo; ip link set lo up'

/** On the loopback a response takes microseconds; for other hosts this is the limit. */
const ATTEMPT_TIMEOUT_MS = 1000

/** An attempt costs 0.3 ms: hundreds of apps that boot need the processors themselves. */
const SHARE_MS = 0.5

/**
 * The pause before the next attempt, by the time since the first one: 5 ms, later 25 ms, later 250 ms. The pause is longer while
 * more than ten apps are probed.
 */
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

/** The first address that accepts a connection; undefined: none. */
export async function firstAccepting({addresses, port}: ProbeTarget): Promise<string | undefined> {
  for (const address of addresses) if (mayAccept(address, port) && (await accepts(address, port))) return address
  return undefined
}

/** Linux lists the sockets of ::1. Node takes 8 ms to read its first address of IPv6, and a start has no such address otherwise. */
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

/** The status of a GET; 0 if there is no response. A path may have any characters, as in Go. */
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
    // the whole head has this time, since it may come byte by byte
    const callOff = systemClock.after(timeoutMs, () => settle(0))
    // refused, reset, not HTTP; or another protocol instead of a status, which ends without an error
    request.on('error', () => settle(0)).once('close', () => settle(0))
  })
}
