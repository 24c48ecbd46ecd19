import {connect} from 'node:net'
import {VERSION} from '../../model/version.ts'
import {LOOPBACK} from '../../platform/probe.ts'

/** The server at a port of this machine: none, Pillion's built-in Redis, or another server. */
export type Answerer =
  | {readonly kind: 'none' | 'other'}
  /** `space`: owner of its keys; '': all runs without a space. */
  | {readonly kind: 'built-in'; readonly space: string}

/** Maximum time for an answer, in ms: a Redis may be busy with one command, and a run with its start. */
const TIMEOUT_MS = 5000
/** All bytes that `identify` sends. */
export const QUESTION = 'INFO server\r\nQUIT\r\n'
/** Maximum bytes of an answer to INFO: Redis' are shorter. */
const MAX_BYTES = 64 * 1024

/** Identifies the server at a port of this machine. */
export async function identify(port: number): Promise<Answerer> {
  for (const host of LOOPBACK) {
    const info = await serverInfo(host, port)
    if (info !== undefined) return answererOf(Buffer.from(info, 'latin1').toString())
  }
  return {kind: 'none'}
}

/** Returns the answer of the built-in Redis to `QUESTION` before it has read its keys. */
export const introduction = (space: string): string => `pillion_version:${VERSION}\r\npillion_space:${space}\r\n`

/** Identifies a server by its answer to INFO. */
export function answererOf(info: string): Answerer {
  if (!info.includes('pillion_version')) return {kind: 'other'}
  return {kind: 'built-in', space: /^pillion_space:(.*?)\r?$/m.exec(info)?.[1] ?? ''}
}

/** Asks a server for INFO, without the large client. Returns '' without an answer in time, undefined if no server listens. */
const serverInfo = async (host: string, port: number): Promise<string | undefined> =>
  new Promise(resolve => {
    let said = ''
    const socket = connect({host, port})
    let isConnected = false
    const over = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isConnected ? said : undefined)
    }
    const timer = setTimeout(over, TIMEOUT_MS)
    socket
      .once('connect', () => {
        isConnected = true
        socket.write(QUESTION)
      })
      .on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1')
        if (said.length > MAX_BYTES) over() // no Redis answers with so much text
      })
      .on('error', () => {}) // 'close' follows
      .on('close', over)
  })
