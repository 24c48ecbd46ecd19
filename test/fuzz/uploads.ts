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
const VALUES = ['hello', '1.0.0', '8000', '-1', '{}', '{"a":', '../x', 'a'.repeat(5000), 'é\0']

/** A form of Daeploy's command line, for the manager. No archive of it has what a service is started by. */
export function upload(random: Random): Script {
  const field = (name: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${random.pick(VALUES)}\r\n`
  const right = '--x\r\nContent-Disposition: form-data; name='
  const fields = random.oneIn(3)
    ? random.some(NAMES, 8).map(field)
    : [
        `${right}"name"\r\n\r\nhello\r\n${right}"version"\r\n\r\n1.0.0\r\n${right}"port"\r\n\r\n8000\r\n${right}"run_args"\r\n\r\n{}\r\n`
      ]
  const file = `${right}"file"; filename="x.tar.gz"\r\nContent-Type: application/gzip\r\n\r\n`
  const form = Buffer.concat([Buffer.from(fields.join('') + file), archive(random), Buffer.from('\r\n--x--\r\n')])
  const body = random.oneIn(2) ? form : mutated(random, form, WORDS)
  const length = random.oneIn(8) ? random.below(2 * body.length) : body.length
  const head = `POST /services/~tar HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=${random.oneIn(8) ? '"' : 'x'}\r\nContent-Length: ${length}\r\n\r\n`
  const script = {pieces: inPieces(random, Buffer.concat([Buffer.from(head), body])), end: endOf(random)}
  return random.oneIn(4) ? byteByByte(script) : script
}
