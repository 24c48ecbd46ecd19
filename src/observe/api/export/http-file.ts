import {isJson} from '../../../model/is-json.ts'
import {contentOf, headerValue} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {oneLine, type Exporter, type ExporterOptions} from './exporter.ts'
import {OWN_HEADERS, requestExporter} from './request-text.ts'
import {isPrintable} from './shell-words.ts'
import type {Variables} from './variables.ts'

/**
 * A `.http` file, as editors send it (REST Client of VS Code, HTTP Client of JetBrains). Masked values are variables. The format has
 * no escapes: what an editor would read as its own, and nothing else, is left out with a comment.
 */
export const httpFileExporter = (options: ExporterOptions): Exporter =>
  requestExporter(options, {mark: '###', name: 'request', write: requestOf})

function requestOf(call: RecordedCall, place: string, variables: Variables): string {
  const {request} = contentOf(call)
  const {masking} = variables
  const [first = '', ...lines] = masking.head(request.head).split(/\r?\n/)
  const [, method = '', target = ''] = /^(\S+) (\S+)/.exec(first) ?? []
  const path = escapedPath(target.replace(/^[a-z]+:\/\/[^/?]*/i, ''))
  const type = headerValue(request.headers, 'content-type')
  const headers = lines.filter(line => isOurs(line) && !isEditorText(line))
  const leftOut = lines.filter(line => isOurs(line) && isEditorText(line)).map(line => line.slice(0, line.indexOf(':')))
  const body = bodyOf(masking.body(request.body, type), type)
  const comments = [
    ...leftOut.map(name => `# the header ${oneLine(name)} is left out: an editor would change its value\n`),
    body === undefined ? '# the body is left out: an editor would change it; pillion calls -o curl has it\n' : ''
  ].join('')
  const head = [`${method} http://${place}${path}`, ...headers].map(line => `${line}\n`).join('')
  const text = head + (body === undefined || body === '' ? '' : `\n${body}\n`)
  const named = variables.split(text).map((each, at) => (at % 2 === 0 ? each : `{{${each}}}`))
  return comments + named.join('')
}

function isOurs(line: string): boolean {
  const colon = line.indexOf(':')
  return colon > 0 && !OWN_HEADERS.has(line.slice(0, colon).toLowerCase())
}

const escapedPath = (path: string): string => {
  const escaped = path.replace(
    /[^!-~]|[{}]/g,
    each => `%${each.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
  )
  return escaped.startsWith('/') ? escaped : `/${escaped}`
}

/** Text that an editor would interpret: variables, and characters that are not printable. */
const isEditorText = (text: string): boolean => text.includes('{{') || /[^ -~]/.test(text)

/** Lines that an editor would interpret: comments, separators, files, scripts, variables. */
const EDITOR_LINE = /^[^\S\r\n\u2028\u2029]*(?:#|\/\/|<|>|@|\?|&|--)/m

/** Undefined: such a file cannot contain it. */
function bodyOf(body: Buffer, type: string): string | undefined {
  if (body.length === 0) return ''
  if (!isPrintable(body)) return undefined
  const text = body.toString()
  if (/json/i.test(type)) {
    const line = jsonLine(text)
    if (line !== undefined) return line
  }
  return text.includes('{{') || EDITOR_LINE.test(text) || /\n\s*\n/.test(text) ? undefined : text
}

/** The same JSON on one line that an editor leaves as it is: without `{{` and special characters at its start. Undefined if the text is not JSON. */
function jsonLine(text: string): string | undefined {
  if (!isJson(text)) return undefined
  // only white space between the parts has line ends; two braces in a row occur in strings alone
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .join(' ')
    .replaceAll('{{', String.raw`{\u007b`)
}
