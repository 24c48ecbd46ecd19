import {archive} from './archives.ts'
import type {Random} from './random.ts'
import {byteByByte} from './one-byte.ts'
import {endOf, inPieces, mutated, type Script} from './script.ts'

const WORDS = [
  '--x--\r\n',
  '\r\n\r\n',
  'filename="',
  'name="file"',
  'boundary=',
  '; '.repeat(500),
  '"'.repeat(500),
  '\0'
]
const NAMES = ['name', 'version', 'port', 'run_args', 'file', 'x', '', '__proto__']
const VALUES = ['service', '1.0.0', '0', '-1', '{}', '{"a":', '../x', 'a'.repeat(5000), 'é\0']

const RIGHT = [
  ['name', 'service'],
  ['version', '1.0.0'],
  ['port', '0'],
  ['run_args', '{}']
] as const

/**
 * A form of Daeploy's command line, for the manager. Once it has been read it is refused: the version is there already, and nothing
 * can listen on its port. So none of them starts a service.
 */
export function upload(random: Random): Script {
  const field = (name: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${random.pick(VALUES)}\r\n`
  const right = '--x\r\nContent-Disposition: form-data; name='
  const fields = random.oneIn(3)
    ? random.some(NAMES, 8).map(field)
    : RIGHT.map(([name, value]) => `${right}"${name}"\r\n\r\n${value}\r\n`)
  const file = `${right}"file"; filename="x.tar.gz"\r\nContent-Type: application/gzip\r\n\r\n`
  const form = Buffer.concat([Buffer.from(fields.join('') + file), archive(random), Buffer.from('\r\n--x--\r\n')])
  const body = random.oneIn(2) ? form : mutated(random, form, WORDS)
  const length = random.oneIn(8) ? random.below(2 * body.length) : body.length
  const head = `POST /services/~tar HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=${random.oneIn(8) ? '"' : 'x'}\r\nContent-Length: ${length}\r\n\r\n`
  const script = {pieces: inPieces(random, Buffer.concat([Buffer.from(head), body])), end: endOf(random)}
  return random.oneIn(4) ? byteByByte(script) : script
}
