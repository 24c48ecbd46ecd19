/** A token of JSON: a text, punctuation, or a word; what is between them is white. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/gsu
const WHITE = /"(?:[^"\\]|\\.)*"|\s+/gsu

/** JSON without white between its tokens. Numbers, escapes and the order of keys stay as they are written. */
export const compactJson = (text: string): string =>
  /\s/.test(text) ? text.replace(WHITE, part => (part.startsWith('"') ? part : '')) : text

/**
 * The texts of the values of an object's own keys, as they are written; of equal keys the last. The text must be valid JSON
 * (RFC 8259) and an object.
 */
export function memberTexts(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  let depth = 0
  let key = ''
  let start = -1
  for (const {0: token, index} of text.matchAll(TOKEN)) {
    const isEnd = token === '}' || token === ']'
    if (isEnd) depth--
    if (start >= 0 && ((depth === 1 && token === ',') || depth === 0)) {
      members.set(key, text.slice(start, index).trim())
      start = -1
    } else if (depth === 1 && start === -1 && token.startsWith('"')) {
      key = JSON.parse(token) as string
      start = -2
    } else if (start === -2 && token === ':') start = index + 1
    if (depth === 1 && token === ',') start = -1
    if (token === '{' || token === '[') depth++
  }
  return members
}

/** The texts of the items of an array, as they are written. The text must be valid JSON and an array. */
export function itemTexts(text: string): readonly string[] {
  const items: string[] = []
  let depth = 0
  let start = -1
  for (const {0: token, index} of text.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth--
    if ((depth === 1 && token === ',') || depth === 0) {
      if (start >= 0) items.push(text.slice(start, index).trim())
      start = -1
    } else if (start < 0 && depth === 1) start = index
    if (token === '{' || token === '[') {
      if (depth === 1 && start < 0) start = index
      depth++
    }
  }
  return items
}
