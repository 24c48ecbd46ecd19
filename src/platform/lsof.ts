import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

/** A socket that listens, as macOS's `lsof` lists it. */
export interface ListeningSocket {
  readonly pid: number
  readonly port: number
  /** The loopback addresses (127.0.0.1, ::1) at which it accepts connections. */
  readonly accepts: readonly string[]
}

const WITHIN_MS = 5000

/** Lists the sockets of inspectable processes that listen on a port, or on any. Undefined without `lsof`. */
export async function listeningByLsof(port?: number): Promise<readonly ListeningSocket[] | undefined> {
  const which = port === undefined ? '-iTCP' : `-iTCP:${port}`
  try {
    const env = {PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin`, LC_ALL: 'C'}
    const {stdout} = await promisify(execFile)('lsof', ['-nP', which, '-sTCP:LISTEN', '-Fptn'], {
      env,
      timeout: WITHIN_MS
    })
    return parseLsof(stdout)
  } catch (error) {
    // it fails if no process listens
    return (error as {code?: unknown}).code === 1 ? [] : undefined
  }
}

/** Parses the output of `lsof -Fptn`: `p`, a pid, then for each of its sockets `f` …, `t`, IPv4 or IPv6, and `n`, `ADDRESS:PORT`. */
export function parseLsof(text: string): readonly ListeningSocket[] {
  let [pid, kind] = [0, '']
  return text.split('\n').flatMap(line => {
    const value = line.slice(1)
    if (line.startsWith('p')) pid = Number(value)
    else if (line.startsWith('t')) kind = value
    if (!line.startsWith('n')) return []
    const at = value.lastIndexOf(':')
    return [{pid, port: Number(value.slice(at + 1)), accepts: acceptsAt(value.slice(0, at), kind)}]
  })
}

function acceptsAt(address: string, kind: string): readonly string[] {
  if (address === '*') return kind === 'IPv6' ? ['127.0.0.1', '::1'] : ['127.0.0.1']
  return [address.replaceAll(/[[\]]/g, '').replace(/^::ffff:/, '')]
}

/** Returns the macOS service that uses these ports, under its common name. */
export const isAirPlay = (port: number, command: string): boolean =>
  [5000, 7000].includes(port) && command.includes('ControlCenter.app/')
