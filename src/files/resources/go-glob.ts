/** One piece of a pattern: a star, a question mark, a class, an escaped character, or any other. */
const PIECE = /\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|[^[\\]/gsy

const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)

/** Characters and ranges of a class, `a-z_`, as a RegExp has them; undefined: it is none. */
function classOf(members: string): string | undefined {
  const parts = [...members.matchAll(/(\\.|[^\\-])(?:-(\\.|[^\\-]))?/gsy)]
  if (parts.map(([part]) => part).join('') !== members) return undefined
  return parts
    .map(([, low = '', high = '']) => {
      const [from, to] = [low, high].map(each => quoted(each.replace(/^\\/, '')))
      return to === '' ? from : `${from ?? ''}-${to ?? ''}`
    })
    .join('')
}

/** A pattern of Go's `path.Match`: `*` and `?` stand for no slash, `[a-z]` and `[^a]` for a character. Undefined: it is none. */
export function goGlob(pattern: string): RegExp | undefined {
  let source = ''
  let read = 0
  for (const [piece, not, members, escaped] of pattern.matchAll(PIECE)) {
    read += piece.length
    if (members !== undefined) {
      const inside = classOf(members)
      if (inside === undefined) return undefined
      source += `[${not ?? ''}${inside}]`
    } else if (piece === '*') source += '[^/]*'
    else if (piece === '?') source += '[^/]'
    else source += quoted(escaped ?? piece)
  }
  try {
    return read === pattern.length ? new RegExp(`^${source}$`, 'su') : undefined
  } catch {
    return undefined
  }
}
