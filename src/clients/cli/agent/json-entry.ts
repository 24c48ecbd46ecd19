import {isDeepStrictEqual} from 'node:util'
import {messageOf, UserError} from '../../../model/errors.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Adds an entry to a map of a JSON file, whose other text stays as it is: `{"mcpServers": {"pillion": …}}`. An existing entry of this name is the user's own, and stays. Throws a UserError with the place if the text is not a JSON object.
 */
export function withEntry(text: string, path: string, [map, name, value]: readonly [string, string, Json]): string {
  if (text.trim() === '') return `${JSON.stringify({[map]: {[name]: value}}, undefined, 2)}\n`
  const file = parsed(text, path)
  const entries = file[map] ?? {}
  if (!isObject(entries)) throw new UserError(`${path}: ${map} is not an object`, {explanation: NOTHING})
  if (entries[name] !== undefined) return text
  const wanted = {...file, [map]: {...entries, [name]: value}}
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  '
  const inner = JSON.stringify(value, undefined, indent).replaceAll('\n', `\n${indent}${indent}`)
  const entry = `\n${indent}${indent}"${name}": ${inner}`
  const isNew = file[map] === undefined
  const at = isNew ? text.indexOf('{') + 1 : endOfOpening(text, map)
  const isLast = Object.keys(isNew ? file : entries).length === 0
  const added = isNew ? `\n${indent}"${map}": {${entry}\n${indent}}` : entry
  const end = isLast ? `\n${isNew ? '' : indent}` : ','
  const rest = isLast ? text.slice(at).trimStart() : text.slice(at)
  const changed = `${text.slice(0, at)}${added}${end}${rest}`
  return isSame(changed, wanted) ? changed : `${JSON.stringify(wanted, undefined, indent)}\n`
}

const NOTHING = 'Nothing was written. Mend the file, or move it away.'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string, path: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const at = Number(/position (\d+)/.exec(messageOf(error))?.[1] ?? 0)
    const before = text.slice(0, at).split('\n')
    const place = `${path}:${before.length}:${(before.at(-1) ?? '').length + 1}`
    throw new UserError(`${place} is not JSON: ${messageOf(error)}`, {explanation: NOTHING, cause: error})
  }
  if (isObject(value)) return value
  throw new UserError(`${path} is JSON, but not an object`, {explanation: NOTHING})
}

/** The place behind the brace that opens a map. */
const endOfOpening = (text: string, map: string): number => {
  const found = new RegExp(`"${map}"\\s*:\\s*\\{`).exec(text)
  return found === null ? 0 : found.index + found[0].length
}

function isSame(text: string, wanted: Json): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), wanted)
  } catch {
    return false
  }
}
