import {contentOf, headerValue, MAX_PLAIN, plainBody} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {type Exporter, type ExporterOptions, oneLine, UNMASKED} from './exporter.ts'
import {isPrintable, shellPrintf, shellWord, type Parts} from './shell-words.ts'
import {isUtf8} from 'node:buffer'
import {CONNECTION_HEADERS} from '../../../model/connection-headers.ts'
import {isQuestion} from '../../telemetry/recorder/callee-kinds.ts'
import {hasFields, Masking} from '../../telemetry/recorder/masking.ts'
import {editedCall} from '../../replay/edit.ts'
import {isDelivery, whyNotSent} from '../../replay/why-not-sent.ts'
import {isoTime} from '../call-view.ts'
import {randomBytes} from 'node:crypto'

/** Variables that have a meaning in a shell. */
const TAKEN = new Set(['ENV', 'HOME', 'IFS', 'LANG', 'PATH', 'PS1', 'PS4', 'PWD', 'SHELL', 'TERM', 'USER'])

/**
 * Replaces the secrets of a call by names of shell variables between marks, at which `split` separates them. The marks are random, so that
 * no text of an app passes for a variable.
 */
class Variables {
  readonly masking: Masking
  readonly #mark = randomBytes(12).toString('hex')
  /** Numbers of the different secrets of the call that share a name. */
  readonly #values = new Map<string, Map<string, number>>()

  constructor(masked: readonly string[]) {
    const between = (text: string): string => `${this.#mark}${text}${this.#mark}`
    this.masking = new Masking(masked, (value, name) => between(this.#variable(value, nameOf(name))))
  }

  #variable(value: string, name: string): string {
    const values = this.#values.get(name) ?? new Map<string, number>()
    const count = values.get(value) ?? values.size + 1
    this.#values.set(name, values.set(value, count))
    return count === 1 ? name : `${name}__${count}`
  }

  /** Returns a masked text: pieces of text at even places, names of variables at odd ones. */
  split(text: string): readonly string[] {
    return text.split(this.#mark)
  }
}

/** Returns the name of a variable for a header: `Dapr-Api-Token` becomes `DAPR_API_TOKEN`. */
function nameOf(name: string): string {
  const upper = name.toUpperCase().replace(/[^A-Z\d]+/g, '_')
  return TAKEN.has(upper) || !/^[A-Z]/.test(upper) ? `MASKED_${upper}` : upper
}

const ADDED = ['Accept', 'User-Agent', 'Content-Type'] // curl adds these headers by itself
/** The longest body that fits into an argument: Linux accepts 128 KiB (execve(2), MAX_ARG_STRLEN). */
const MAX_ARGUMENT = 32 * 1024

/** Writes commands for a POSIX shell that send calls again, each to its caller's sidecar or its callee's port. Masked values are variables. */
export const curlExporter = (options: ExporterOptions): Exporter => requestExporter(options, commandOf)

function commandOf(call: RecordedCall, authority: string, variables: Variables): string {
  const {request} = contentOf(call)
  const {masking} = variables
  const masked = masking.head(request.head).split(/\r?\n/)
  const [, method = '', target = ''] = /^(\S+) (\S+)/.exec(masked[0] ?? '') ?? []
  const names = new Set<string>()
  const parts = (text: string, encoding: 'latin1' | 'utf8' = 'latin1'): Parts =>
    variables.split(text).map((each, at) => {
      if (at % 2 === 0) return Buffer.from(each, encoding)
      names.add(each)
      return {variable: each}
    })
  const word = (text: string): string => shellWord(parts(text))
  const body = masking.body(request.body, headerValue(request.headers, 'content-type'))
  const hasBody = body.length > 0
  const options = [
    method === 'HEAD' ? '--head' : `-X ${word(method)}`,
    ...addressOf(target, authority, word),
    ...headerOptions(masked.slice(1), hasBody).map(line => `-H ${word(line)}`)
  ]
  const isArgument = hasBody && body.length <= MAX_ARGUMENT && isPrintable(body)
  if (isArgument) options.push(`--data-raw ${shellWord(parts(body.toString(), 'utf8'))}`)
  else if (hasBody) options.push('--data-binary @-')
  const pipe = hasBody && !isArgument ? `${shellPrintf(parts(body.toString('latin1')))} |\n` : ''
  const command = `${pipe}curl -sS -i ${options.join(' \\\n  ')}\n`
  return names.size === 0 ? command : `# masked: set ${[...names].join(', ')} first\n${command}`
}

/** Returns the target as sent: curl would drop `/../` and the part after a `#`, and reads `[` and `{` as patterns. */
function addressOf(target: string, authority: string, word: (text: string) => string): readonly string[] {
  const path = target.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const place = `http://${authority}`
  if (/^\/[\w.~:/?@!$&'()*+,;=%-]*$/.test(path)) return ['-g --path-as-is', word(place + path)]
  return [`--request-target ${word(path)}`, word(`${place}/`)]
}

/** Returns arguments of `-H`: `name;` is a header without a value, and `name:` removes a header. */
function headerOptions(lines: readonly string[], hasBody: boolean): readonly string[] {
  const sent = lines.flatMap(line => {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    if (colon < 1 || OWN_HEADERS.has(name.toLowerCase())) return []
    const value = line.slice(colon + 1).trim()
    return [{name, option: value === '' ? `${name};` : `${name}: ${value}`}]
  })
  const names = new Set(sent.map(({name}) => name.toLowerCase()))
  const notAdded = ADDED.filter(name => !names.has(name.toLowerCase()) && (hasBody || name !== 'Content-Type'))
  return [...sent.map(({option}) => option), ...notAdded.map(name => `${name}:`)]
}

/** Headers that curl writes itself, or that belong to the connection. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['host', ...CONNECTION_HEADERS])

/** Writes the request of a call, to be sent to a host and port. */
type WriteRequest = (call: RecordedCall, place: string, variables: Variables) => string

/** Exports calls as commands that repeat them. A comment names each call, or explains why it cannot be sent. */
function requestExporter({masked, placeOf}: ExporterOptions, write: WriteRequest): Exporter {
  return {
    type: 'text/plain; charset=utf-8',
    before: '',
    between: '\n',
    end: comment => (comment === '' ? '' : `\n# ${comment}\n`),
    text: (call, whole = call) => {
      const edge = new Masking(masked).target(`${call.edgeOf.caller} → ${call.edgeOf.callee}`)
      const comment = `# call ${call.number}, ${isoTime(call.startedAt)}: ${oneLine(edge)}\n`
      const place = placeOf(call)
      const replay = `pillion replay ${call.number} --unsafe`
      const event = isDelivery(call) ? `it is an event: ${replay} delivers it again` : ''
      const said = `what is said to a language model stays in the run: ${replay} asks it again`
      const reason = event || whyNotSent(whole, place !== '') || (isQuestion(contentOf(call).target) ? said : '')
      if (reason !== '') return `${comment}# no command: ${oneLine(reason)}\n`
      const sent = decompressed(call)
      const {body, headers} = contentOf(sent).request
      const isMasked = body.length === 0 || hasFields(body.toString('latin1'), headerValue(headers, 'content-type'))
      return comment + (isMasked ? '' : `# the body is ${UNMASKED}\n`) + write(sent, place, new Variables(masked))
    }
  }
}

/** Returns the call with a decompressed request body: in a compressed body, masking would find no secrets. */
function decompressed(call: RecordedCall): RecordedCall {
  const {request} = contentOf(call)
  const body = plainBody(request, MAX_PLAIN)
  return body === request.body || !isUtf8(body) ? call : editedCall(call, {body: body.toString()})
}
