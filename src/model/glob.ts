import {resolve} from 'node:path'
import {anyOne, literal, matchesName, oneOf, type Range, type Token} from './name-pattern.ts'

/** Maximum number of alternatives of a glob, which `{a,b}` multiplies. */
const MAX_ALTERNATIVES = 1000

/**
 * A compiled glob: `*` and `?` stay within a name, `**` matches any number of folders, `[a-z]`, `[!a-z]` and `{a,b}` as in
 * a shell, `\` takes the next character literally. Dotfiles match like all others. Matching takes time linear in the length
 * of the path for each name of the glob: the libraries compile to regular expressions, and backtrack exponentially on
 * `*a*a*a*b`.
 */
export interface Glob {
  /** The folder (or file) before the first wildcard, absolute. */
  readonly base: string
  /** Whether an absolute path matches. */
  matches(path: string): boolean
  /** Whether a path inside this folder can match. */
  canMatchIn(folder: string): boolean
  /** Whether every path inside this folder matches. */
  matchesAllIn(folder: string): boolean
  /** A path that matches. */
  readonly sample: string
}

/** Whether wildcards do not match this absolute folder. A glob that names it does. */
type IsHidden = (folder: string) => boolean

/**
 * Compiles a glob; relative ones start at `folder`. Without wildcards it also matches everything inside the folder that it
 * names. Throws a `RangeError` if `{…}` has too many alternatives.
 */
export const compileGlob = (glob: string, folder: string, isHidden?: IsHidden): readonly Glob[] =>
  alternatives(glob).map(each => new Pattern(each, folder, ['**'], isHidden))

/** Compiles a glob without alternatives, in which braces are literal and a folder does not include its content. */
export const compileExactGlob = (glob: string, folder: string): Glob => new Pattern(glob, folder, [])

interface Name {
  readonly tokens: readonly Token[]
  readonly isWild: boolean
}
type Segment = '**' | Name

const WILDCARD = /[*?[]/

class Pattern implements Glob {
  readonly base: string
  readonly sample: string
  readonly #segments: readonly Segment[]
  readonly #isHidden: IsHidden

  constructor(glob: string, folder: string, withoutWildcards: readonly Segment[], isHidden: IsHidden = () => false) {
    this.#isHidden = isHidden
    const names = glob.split('/').filter((name, index) => name !== '' || index === 0)
    const count = names.findIndex(name => WILDCARD.test(name))
    const fixed = count === -1 ? names : names.slice(0, count)
    const rest = count === -1 ? [] : names.slice(count)
    // `/*`: the first name is empty, and the base is the root
    this.base = resolve(folder, `${glob.startsWith('/') ? '/' : ''}${fixed.map(unescaped).join('/')}`)
    this.#segments = count === -1 ? withoutWildcards : rest.map(segmentOf)
    this.sample = resolve(this.base, ...rest.map(sampleOf))
  }

  matches(path: string): boolean {
    return this.#statesAfter(path, at => at !== path && this.#isHidden(at)).has(this.#segments.length)
  }

  canMatchIn(folder: string): boolean {
    if (isInside(this.base, folder)) return true
    return [...this.#statesAfter(folder)].some(at => at < this.#segments.length)
  }

  matchesAllIn(folder: string): boolean {
    const last = this.#segments.length - 1
    return this.#segments[last] === '**' && this.#statesAfter(folder).has(last)
  }

  /** Returns the positions in the segments that the names of a path lead to. */
  #statesAfter(path: string, isHidden = this.#isHidden): ReadonlySet<number> {
    if (!isInside(path, this.base)) return new Set()
    let states = this.#withSkipped(new Set([0]))
    let reached = this.base === '/' ? '' : this.base
    for (const name of path.slice(this.base.length).split('/').filter(Boolean)) {
      reached += `/${name}`
      states = this.#withSkipped(this.#statesBehind(name, states, isHidden(reached)))
    }
    return states
  }

  #statesBehind(name: string, states: ReadonlySet<number>, isHidden: boolean): Set<number> {
    const next = new Set<number>()
    for (const at of states) {
      const segment = this.#segments[at]
      if (segment === undefined || (isHidden && (segment === '**' || segment.isWild))) continue
      if (segment === '**') next.add(at)
      else if (matchesName(name, segment.tokens)) next.add(at + 1)
    }
    return next
  }

  /** `**` also matches no folder at all. */
  #withSkipped(states: Set<number>): Set<number> {
    for (const at of states) if (this.#segments[at] === '**') states.add(at + 1)
    return states
  }
}

/** Whether a path is a folder, or inside it. */
export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)

const TOKEN = /\\(.)|\[([!^]?)(\]?[^\]]*)\]|(.)/gsu

const segmentOf = (name: string): Segment =>
  name === '**' ? '**' : {tokens: tokensOf(name), isWild: WILDCARD.test(name)}

function tokensOf(name: string): readonly Token[] {
  return Array.from(name.matchAll(TOKEN), ([, escaped, negation, set, plain = '\\']) => {
    if (escaped !== undefined) return literal(escaped)
    if (set !== undefined) return oneOf(rangesOf(set), negation !== '')
    return plain === '*' ? '*' : plain === '?' ? anyOne : literal(plain)
  })
}

/** `a-z_`: its characters and ranges. */
const rangesOf = (set: string): readonly Range[] =>
  Array.from(set.matchAll(/(.)-(.)|(.)/gsu), ([, from, to, single = '']) => [from ?? single, to ?? single])

const unescaped = (name: string): string => name.replaceAll(/\\(.)/gs, '$1')

/** Returns a name that a name of a glob matches. */
const sampleOf = (name: string): string =>
  name === '**'
    ? 'x'
    : Array.from(name.matchAll(TOKEN), ([, escaped, negation, set, plain = '\\']) =>
        set === undefined ? (escaped ?? (/[*?]/.test(plain) ? 'x' : plain)) : negation === '' ? set.slice(0, 1) : 'x'
      ).join('')

/** `a{b,c{d,e}}` → `ab`, `acd`, `ace`. Braces without a comma are literal. */
function alternatives(glob: string): readonly string[] {
  const done: string[] = []
  const open = [glob]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const brace = firstBrace(next)
    if (brace === undefined) done.push(next)
    else {
      const {before, inside, after} = brace
      open.push(...inside.map(each => before + each + after).toReversed())
    }
    if (open.length + done.length > MAX_ALTERNATIVES) throw new RangeError('too many alternatives')
  }
  return done
}

/** Returns the first brace that holds alternatives, split at its commas. */
function firstBrace(glob: string): {before: string; inside: readonly string[]; after: string} | undefined {
  const cuts: {start: number; commas: number[]}[] = []
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at]
    if (character === '\\') at++
    else if (character === '{') cuts.push({start: at, commas: []})
    else if (character === ',') cuts.at(-1)?.commas.push(at)
    else if (character === '}') {
      const cut = cuts.pop()
      if (cut === undefined || cut.commas.length === 0) continue
      const ends = [...cut.commas, at]
      const inside = ends.map((end, index) => glob.slice((index === 0 ? cut.start : (ends[index - 1] ?? 0)) + 1, end))
      return {before: glob.slice(0, cut.start), inside, after: glob.slice(at + 1)}
    }
  }
  return undefined
}
