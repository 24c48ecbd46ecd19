import {isObject} from '../../../model/is-object.ts'

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Removes white space between tokens. Numbers, escapes and the order of keys stay as written. The text must be valid JSON (RFC 8259). */
export function compactJson(text: string): string {
  if (!/\s/.test(text)) return text
  let compact = ''
  let kept = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code <= SPACE) {
      compact += text.slice(kept, at)
      kept = skipWhite(text, at)
      at = kept - 1
    }
  }
  return compact + text.slice(kept)
}

/**
 * Returns the members of an object: keys with the texts of their values, as written. The last of equal keys counts. Returns an empty map
 * if the text is not an object. The text must be valid JSON (RFC 8259).
 */
export function memberTexts(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  let at = skipWhite(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACE) return members
  for (at = skipWhite(text, at + 1); text.charCodeAt(at) === QUOTE; at = next(text, at)) {
    const end = endOfString(text, at)
    const key = JSON.parse(text.slice(at, end)) as string
    const from = skipWhite(text, skipWhite(text, end) + 1)
    at = endOfValue(text, from)
    members.set(key, text.slice(from, at))
  }
  return members
}

/** Returns the key that equals the name, else one that differs only in upper and lower case, as Go's JSON does. */
const keyIn = (keys: readonly string[], name: string): string =>
  keys.includes(name) ? name : (keys.find(key => key.toLowerCase() === name.toLowerCase()) ?? name)

/** Returns the member of an object, its key in upper or lower case; undefined: no such member, or `from` is not an object. */
export const memberIn = (from: unknown, name: string): unknown =>
  isObject(from) ? from[keyIn(Object.keys(from), name)] : undefined

/** Returns a value that is a string; '': another value. */
export const asString = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Returns the text of a member's value, as written, its key in upper or lower case; undefined: the key is missing. */
export function memberText(text: string, name: string): string | undefined {
  const members = memberTexts(text)
  return members.get(keyIn([...members.keys()], name))
}

/** Returns the texts of the items of an array, as written; empty: the text is not an array. The text must be valid JSON. */
export function itemTexts(text: string): readonly string[] {
  const items: string[] = []
  let at = skipWhite(text, 0)
  if (text.charCodeAt(at) !== OPEN_BRACKET) return items
  at = skipWhite(text, at + 1)
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = endOfValue(text, at)
    items.push(text.slice(at, end))
    at = next(text, end)
  }
  return items
}

function skipWhite(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at++
  return at
}

/** Returns the index of the next member or item after a value that ends at `end`, or of the closing bracket. */
function next(text: string, end: number): number {
  const at = skipWhite(text, end)
  return text.charCodeAt(at) === COMMA ? skipWhite(text, at + 1) : at
}

/** Returns the index after the value that begins at `from`. */
function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === QUOTE) return endOfString(text, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfBrackets(text, from)
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COMMA || code <= SPACE || code === CLOSE_BRACE || code === CLOSE_BRACKET) return at
  }
  return text.length
}

/** Returns the index after the string that begins at `from`. A quote after an even number of backslashes ends it. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((at - before) % 2 === 1) return at + 1
  }
  return text.length
}

function endOfBrackets(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return text.length
}
