/**
 * Compares the size and shape of `src` with `bounds.json`. A figure may fall: the file is rewritten, except in CI. A figure that rises fails the
 * check, unless `raised` in that file allows the new figure and says why.
 */
import {existsSync, globSync, readFileSync, writeFileSync} from 'node:fs'
import {dirname, join, normalize} from 'node:path'
import {badSentences} from './comment-patterns.ts'

/** A figure that was allowed to rise to `to`. */
interface Raise {
  readonly figure: string
  readonly to: number
  readonly why: string
}

interface Bounds {
  readonly figures: Readonly<Record<string, number>>
  readonly raised: readonly Raise[]
}

/** Words of this project's old dialect, in comments and names. What stands in their place: `test/unit/words.test.ts`. */
const DIALECT =
  /\b(?:told|tells|nobody|somebody|wish(?:es|ed)?|anew|lonely|hungry|(?<!(?:dead|case)[- ])letters?(?!, digits)|guests?|unsaid|thereof)\b/gi

const ROOT = join(import.meta.dirname, '..')
const FILE = join(import.meta.dirname, 'bounds.json')
const IMPORTS = /(?:^|\n)(?:import|export)\b[^;'"]*?from '([^']+)'/g
const LAZY = /\bimport\('([^']+)'\)/g
const EXPORTED =
  /^export (?:declare |abstract |async |default )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm

/** Modules are the folders of `src`, and the packages below `src/packages`. */
const moduleOf = (file: string): string => /^src\/(packages\/[^/]+|[^/]+)/.exec(file)?.[1] ?? ''

const isOwn = (file: string): boolean => !/\.generated\.|\/test\//.test(file)

/** The files that a file imports, types included, by path from the root. */
function importsOf(
  file: string,
  text: string,
  packages: Readonly<Record<string, string>>,
  pattern = IMPORTS
): readonly string[] {
  return [...text.matchAll(pattern)].flatMap(([, from = '']) => {
    const path = from.startsWith('.') ? normalize(join(dirname(file), from)) : packages[from]?.replace('./', '')
    return path !== undefined && existsSync(join(ROOT, path)) ? [path] : []
  })
}

/** The groups of files that import each other, directly or through others (Tarjan, 1972). */
export function ringsOf(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const [order, lowest] = [new Map<string, number>(), new Map<string, number>()]
  const [stack, rings]: [string[], string[][]] = [[], []]
  const look = (file: string): void => {
    const number = order.size
    order.set(file, number)
    lowest.set(file, number)
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) look(next)
      if (stack.includes(next)) lowest.set(file, Math.min(lowest.get(file) ?? number, lowest.get(next) ?? number))
    }
    if (lowest.get(file) !== number) return
    const ring = stack.splice(stack.indexOf(file))
    if (ring.length > 1) rings.push(ring)
  }
  for (const file of graph.keys()) if (!order.has(file)) look(file)
  return rings
}

const linesOf = (text: string): number => text.split('\n').length - 1
const hundreds = (lines: number): number => Math.ceil(lines / 100) * 100

/** The figures of today. Lines are rounded up to hundreds, so that not every commit changes the file. */
function figures(): {readonly all: Record<string, number>; readonly rings: readonly (readonly string[])[]} {
  const {imports} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {imports: Record<string, string>}
  const files = globSync('src/**/*.ts', {cwd: ROOT}).filter(isOwn).toSorted()
  const texts = new Map(files.map(file => [file, readFileSync(join(ROOT, file), 'utf8')]))
  const graph = new Map([...texts].map(([file, text]) => [file, importsOf(file, text, imports)]))
  const [lines, edges, names] = [new Map<string, number>(), new Set<string>(), new Map<string, number>()]
  for (const [file, text] of texts) {
    const module = moduleOf(file)
    lines.set(module, (lines.get(module) ?? 0) + linesOf(text))
    for (const target of graph.get(file) ?? [])
      if (!['', module].includes(moduleOf(target))) edges.add(`${module} ${moduleOf(target)}`)
    for (const name of new Set([...text.matchAll(EXPORTED)].map(([, found = '']) => found)))
      names.set(name, (names.get(name) ?? 0) + 1)
  }
  const whole = [...texts.values()].join('\n')
  const rings = ringsOf(graph)
  const lazy = [...texts].map(([file, text]) => [file, importsOf(file, text, imports, LAZY)] as const)
  const whenever = new Map(lazy.map(([file, later]) => [file, [...(graph.get(file) ?? []), ...later]]))
  const textsOf = (pattern: string): readonly string[] =>
    globSync(pattern, {cwd: ROOT}).map(file => readFileSync(join(ROOT, file), 'utf8'))
  const tests = textsOf('{test,src/packages/*/test}/**/*.{ts,mjs,js,py,go,java}')
  const commented = [...texts.values(), ...textsOf('page/**/*.{ts,tsx}')]
  const all = {
    ...Object.fromEntries([...lines].map(([module, count]) => [`lines of src/${module}`, hundreds(count)])),
    'lines of src': hundreds([...lines.values()].reduce((sum, count) => sum + count, 0)),
    files: files.length,
    'files over 300 lines': [...texts.values()].filter(text => linesOf(text) > 300).length,
    'edges between modules': edges.size,
    'types named Options': [...whole.matchAll(/^(?:export )?(?:interface|type) \w+Options\b/gm)].length,
    'names that several files export': [...names.values()].filter(count => count > 1).length,
    'files in rings of imports': rings.flat().length,
    'files in rings, with lazy imports': ringsOf(whenever).flat().length,
    'lines of tests': hundreds(tests.reduce((sum, text) => sum + linesOf(text), 0)),
    'comments that begin with a clause': commented.flatMap(badSentences).length,
    'words of the old dialect': [...whole.matchAll(DIALECT)].length
  }
  return {all, rings}
}

/** What has risen, in words. A figure that the file does not have yet has no bound. */
export function risen(found: Readonly<Record<string, number>>, {figures: known, raised}: Bounds): readonly string[] {
  return Object.entries(found).flatMap(([name, now]) => {
    const allowed = raised.filter(({figure, why}) => figure === name && why !== '').map(({to}) => to)
    const bound = Math.max(known[name] ?? Infinity, ...allowed)
    return now > bound ? [`${name}: ${now}, at most ${bound}`] : []
  })
}

function main(): number {
  const {all, rings} = figures()
  const bounds = JSON.parse(readFileSync(FILE, 'utf8')) as Bounds
  const faults = risen(all, bounds)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) {
    for (const ring of rings) console.error(`ring: ${ring.join(' ')}`)
    console.error('Make it smaller, or add the figure to `raised` in scripts/bounds.json with the reason.')
    return 1
  }
  const next = {figures: all, raised: bounds.raised.filter(({figure, to}) => (all[figure] ?? 0) === to)}
  if (process.env['CI'] !== 'true') writeFileSync(FILE, `${JSON.stringify(next, null, 2)}\n`)
  return 0
}

if (import.meta.main) process.exitCode = main()
