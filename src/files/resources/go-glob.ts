import {literal, matchesName, oneOf, type Range, type Token} from '../../model/name-pattern.ts'

/** A piece of a pattern: a star, a question mark, a class, an escaped character, or any other. */
const PIECE = /\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|[^[\\]/gsuy

/** Reads the characters and ranges of a class, `a-z_`; undefined = not a class. */
function rangesOf(members: string): readonly Range[] | undefined {
  const parts = [...members.matchAll(/(\\.|[^\\-])(?:-(\\.|[^\\-]))?/gsuy)]
  if (parts.map(([part]) => part).join('') !== members) return undefined
  return parts.map(([, low = '', high = low]) => [unescaped(low), unescaped(high)])
}

const unescaped = (character: string): string => character.replace(/^\\/, '')

const notSlash: Token = character => character !== '/'

/** Compiles a pattern of Go's `path.Match`: `*` and `?` match no slash, `[a-z]` and `[^a]` match a character. Returns undefined for a malformed pattern. */
export function goGlob(pattern: string): ((text: string) => boolean) | undefined {
  const tokens: Token[] = []
  let read = 0
  for (const [piece, not, members, escaped] of pattern.matchAll(PIECE)) {
    read += piece.length
    const ranges = members === undefined ? [] : rangesOf(members)
    if (ranges === undefined) return undefined
    if (members !== undefined) tokens.push(oneOf(ranges, not !== ''))
    else if (piece === '*') tokens.push('*')
    else tokens.push(piece === '?' ? notSlash : literal(escaped ?? piece))
  }
  return read === pattern.length ? text => matchesName(text, tokens, '/') : undefined
}
