import {HTTP1_WORDS} from './http1-requests.ts'
import type {Random} from './random.ts'
import {endOf, inPieces, mutated, type Script} from './script.ts'

const PATHS = [
  '/api/v1/run',
  '/api/v1/apps',
  '/api/v1/apps/echo/logs',
  '/api/v1/apps/echo/restart',
  '/api/v1/apps/echo/sidecar',
  '/api/v1/apps/nobody/stop',
  '/api/v1/logs',
  '/api/v1/services',
  '/api/v1/services/service/1.0.0/assign',
  '/api/v1/redis/99999999999999999999',
  '/api/v1/notifications',
  '/',
  '//',
  '/%',
  '*',
  'http://run/api/v1/run',
  '/api/v1/run/../run'
]
const VALUES = [
  '',
  'echo',
  'service',
  'nobody',
  '%',
  '%00',
  '-1',
  'NaN',
  '1e400',
  '99999999999999999999',
  '0x10',
  '1.0.0',
  '__proto__',
  'é',
  'a'.repeat(3000)
]
const KEYS = ['id', 'tail', 'since', 'follow', 'version', 'id', 'x']

/** Whether these bytes could rightly end the run or an app of it: what the others need is left alone. */
const isDeadly = (bytes: Buffer): boolean => /(?<!\/apps\/nobody\/)stop/.test(bytes.toString('latin1'))

/** What another terminal might send to the socket of the run. */
export function controlClient(random: Random): Script {
  const request = (): string => {
    const path = random.pick(PATHS)
    const pairs = random.some(KEYS, 4).map(key => `${key}=${random.pick(VALUES)}`)
    const query = pairs.length === 0 ? '' : `?${pairs.join('&')}`
    return `${random.pick(['GET', 'GET', 'POST', 'HEAD', 'PUT'])} ${path}${query} HTTP/1.1\r\nHost: run\r\nContent-Length: 0\r\n\r\n`
  }
  const bytes = Buffer.from(Array.from({length: 1 + random.below(3)}, request).join(''), 'latin1')
  const sent = random.oneIn(2) ? bytes : mutated(random, bytes, HTTP1_WORDS)
  return {pieces: inPieces(random, isDeadly(sent) ? bytes : sent), end: endOf(random)}
}
