import type {RequestEdit} from '../../model/api.generated.ts'
import {UserError} from '../../model/errors.ts'
import {exactText, parseExactly} from '../../model/exact-json.ts'
import {isObject} from '../../model/is-object.ts'
import {orElse} from '../../model/or-else.ts'
import {PIECE, type TapePiece} from '../telemetry/recorder/byte-tape.ts'
import {contentOf, headerValue, MAX_PLAIN, methodPath, plainBody} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'

export const MASK = /<masked, \d+ characters>/
/** A token, as methods and names of headers are (RFC 9110, 5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
/** The characters of a header value (RFC 9110, 5.5). */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Reads an edit from JSON, if there is one. Throws a UserError that names the field. */
export function readEdit(value: unknown): RequestEdit | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw wrong('edit', 'is not a JSON object')
  const {method, path, headers, body, ...others} = value
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw wrong(`edit.${unknown}`, 'is not known')
  if (method !== undefined && !(typeof method === 'string' && TOKEN.test(method)))
    throw wrong('edit.method', 'is not a method of HTTP')
  if (typeof path === 'string' && MASK.test(path)) throw isMasked('edit.path')
  if (path !== undefined && !(typeof path === 'string' && /^\/[\x21-\x7e]*$/.test(path)))
    throw wrong('edit.path', 'is not a path that begins with / and has its spaces as %20')
  if (body !== undefined && typeof body !== 'string') throw wrong('edit.body', 'is not a text')
  return {
    ...(method !== undefined && {method}),
    ...(path !== undefined && {path}),
    ...(headers !== undefined && {headers: readHeaders(headers)}),
    ...(body !== undefined && {body})
  }
}

function readHeaders(value: unknown): Readonly<Record<string, string | null>> {
  if (!isObject(value)) throw wrong('edit.headers', 'is not a JSON object')
  for (const [name, text] of Object.entries(value)) {
    if (!TOKEN.test(name)) throw wrong('edit.headers', `has “${name}”, which is not the name of a header`)
    if (text !== null && !(typeof text === 'string' && FIELD_VALUE.test(text)))
      throw wrong(`edit.headers.${name}`, 'is not the value of a header: it has one line, in Latin-1')
    if (MASK.test(text ?? '')) throw isMasked(`edit.headers.${name}`)
  }
  return value as Readonly<Record<string, string | null>>
}

const wrong = (field: string, why: string): UserError =>
  new UserError(`${field} ${why}`, {
    explanation: 'For example: {"edit": {"path": "/orders/8", "headers": {"x-user": null}, "body": "{}"}}'
  })

const isMasked = (field: string): UserError => wrong(field, 'has a mask: write the value itself')

/** Restores masked values in an edited body from the call. Throws a UserError for a mask without a value in the call. */
export function withoutMasks(edit: RequestEdit, call: RecordedCall, masking: Masking): RequestEdit {
  const {body = ''} = edit
  if (!MASK.test(body)) return edit
  const {request} = contentOf(call)
  const plain = plainBody(request, MAX_PLAIN)
  const shown = masking.body(plain, headerValue(request.headers, 'content-type')).toString()
  if (body === shown) return {...edit, body: plain.toString()}
  const [after, before, sent] = [body, shown, plain.toString()].map(text => orElse(() => parseExactly(text), undefined))
  // only in JSON the place of a mask is known
  if (after === undefined || before === undefined) throw isMasked('edit.body')
  return {...edit, body: exactText(unmasked(after, before, sent))}
}

/** Restores the masks in a value. `shown`, `sent`: the masked and the sent value at the same place of the recorded body; undefined: unknown. Throws a UserError. */
function unmasked(edited: unknown, shown: unknown, sent: unknown): unknown {
  if (typeof edited === 'string' && MASK.test(edited) && edited !== shown) throw isMasked('edit.body')
  if (typeof edited !== 'object' || edited === null) return edited === shown ? sent : edited
  const isKnown = !Array.isArray(edited) || hasPlaces(edited, shown)
  const [masks, values] = [isKnown ? shown : {}, sent].map(each => new Map(Object.entries(each ?? {})))
  const all = Object.entries(edited).map(([name, each]) => [name, unmasked(each, masks?.get(name), values?.get(name))])
  return Array.isArray(edited) ? all.map(([, each]) => each) : Object.fromEntries(all)
}

/** Whether the items of an array are at their former places: not if several items with masks have changed, or if one has moved. */
function hasPlaces(edited: readonly unknown[], shown: unknown): boolean {
  if (!Array.isArray(shown) || shown.length !== edited.length) return false
  const [after, before] = [edited.map(exactText), shown.map(exactText)]
  const changed = after.filter((item, at) => item !== before[at] && MASK.test(`${item} ${before[at]}`))
  return changed.length < 2 && !changed.some(item => before.includes(item))
}

const OF_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'transfer-encoding'])

export function editedCall(call: RecordedCall, {method, path, headers = {}, body}: RequestEdit): RecordedCall {
  const {request, target, path: former} = contentOf(call)
  const [before = '', , version = 'HTTP/1.1'] = (request.head.split(/\r?\n/, 1)[0] ?? '').split(' ')
  const address = target.endsWith(former) ? target.slice(0, -former.length) : target.replace(/\?.*$/s, '')
  const sentTo = path === undefined ? target : address + methodPath(path, call.edgeOf.callee)
  const line = [method ?? before, sentTo, version].join(' ')
  const changed = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), {name, value}]))
  // a new body is not compressed, and has its own length
  const isChanged = (name: string): boolean => changed.has(name) || (body !== undefined && OF_BODY.has(name))
  const kept = request.headers.flatMap((name, at) =>
    at % 2 === 1 || isChanged(name.toLowerCase()) ? [] : [`${name}: ${request.headers[at + 1] ?? ''}`]
  )
  const added = [...changed.values()].flatMap(({name, value}) => (value === null ? [] : [`${name}: ${value}`]))
  const head = Buffer.from(`${[line, ...kept, ...added].join('\r\n')}\r\n\r\n`, 'latin1')
  const sent = body === undefined ? request.body : Buffer.from(body)
  const own: ReadonlySet<number> = new Set([PIECE.requestHead, PIECE.requestBody])
  const pieces: readonly TapePiece[] = [
    {kind: PIECE.requestHead, bytes: head},
    {kind: PIECE.requestBody, bytes: sent},
    ...call.pieces.filter(({kind}) => !own.has(kind))
  ]
  // a replaced body is whole again
  const requestBytes = body === undefined ? call.requestBytes : sent.length
  const flags = body === undefined ? call.flags : call.flags & ~FLAG.truncated
  return {...call, method: method ?? call.method, requestBytes, flags, pieces}
}
