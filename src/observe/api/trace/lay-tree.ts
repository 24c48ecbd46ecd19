import type {CallLinks} from './link-calls.ts'

/** Maximum number of similar calls below one call that have their own rows; the rest share one. */
const MAX_ALIKE = 10

export interface TreeRow {
  readonly number: number
  readonly depth: number
  /** The numbers of the equal calls in this row, beginning with its own. */
  readonly alike: readonly number[]
}

interface TreeOptions {
  readonly links: Pick<CallLinks, 'madeFor'>
  /** Returns a key, equal for nodes that may share a row; undefined: the node always has its own row. */
  readonly kindOf: (number: number) => string | undefined
  readonly hasFailed: (number: number) => boolean
  /** Number of a row that must be shown, with its ancestors, even above the limit. */
  readonly asked: number
  readonly maxRows: number
}

export interface Tree {
  /** The rows, each before its children. */
  readonly rows: readonly TreeRow[]
  readonly leftOut: number
  /** The call in which the failure began: the deepest failed call without a failed call below it. Undefined without a failure. */
  readonly failedAt: number | undefined
}

/** Lays calls and their children one below the other. Many equal ones become one row. */
export function layTree(roots: readonly number[], options: TreeOptions): Tree {
  const {hasFailed, asked, maxRows} = options
  const all: TreeRow[] = []
  const parents = new Map<number, number>()
  const left = roots.map(number => ({number, depth: 0, alike: [number]})).toReversed()
  for (let next: TreeRow | undefined = left.pop(); next !== undefined; next = left.pop()) {
    all.push(next)
    if (next.alike.length > 1) continue
    const {number: parent, depth} = next
    const below = options.links.madeFor(parent)
    for (const number of below) parents.set(number, parent)
    for (const alike of groupsOf(below, options).toReversed())
      left.push({number: alike[0] ?? 0, depth: depth + 1, alike: [...alike]})
  }
  const failedAbove = new Set(all.filter(({number}) => hasFailed(number)).map(({number}) => parents.get(number)))
  const failed = all.filter(({number}) => hasFailed(number) && !failedAbove.has(number))
  const failedAt = failed.toSorted((a, b) => b.depth - a.depth)[0]?.number
  if (all.length <= maxRows) return {rows: all, leftOut: 0, failedAt}
  const wanted = new Set<number>()
  for (const number of [asked, failedAt])
    for (let at = number; at !== undefined && !wanted.has(at); at = parents.get(at)) wanted.add(at)
  const rows = all.filter(({number}, index) => index < maxRows || wanted.has(number))
  const countOf = (some: readonly TreeRow[]): number => some.reduce((sum, {alike}) => sum + alike.length, 0)
  return {rows, leftOut: countOf(all) - countOf(rows), failedAt}
}

/** Groups the nodes below one call. The first of many similar nodes have groups of their own, the rest share a group. */
function groupsOf(
  numbers: readonly number[],
  {links, kindOf, hasFailed, asked}: TreeOptions
): readonly (readonly number[])[] {
  if (numbers.length <= MAX_ALIKE) return numbers.map(number => [number])
  const groups: number[][] = []
  const seen = new Map<string, {count: number; rest: number[] | undefined}>()
  for (const number of numbers) {
    const isPlain = number !== asked && !hasFailed(number) && links.madeFor(number).length === 0
    const kind = isPlain ? kindOf(number) : undefined
    if (kind === undefined) {
      groups.push([number])
      continue
    }
    const known = seen.get(kind) ?? {count: 0, rest: undefined}
    seen.set(kind, known)
    if (++known.count <= MAX_ALIKE) groups.push([number])
    else if (known.rest === undefined) groups.push((known.rest = [number]))
    else known.rest.push(number)
  }
  return groups
}
