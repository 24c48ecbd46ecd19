/**
 * `node test/runner/titles.ts REVISION`: names the titles of tests that this revision of the repository has and the work tree has
 * not. Who merges or rewrites tests sees by it that what they prove is not given up; a title that has moved to another file is there.
 */
import {execFileSync} from 'node:child_process'
import {globSync, readFileSync} from 'node:fs'

const [revision] = process.argv.slice(2)

/** Titles as they are written; of a template only what is not filled in counts. */
const titlesIn = (source: string): readonly string[] =>
  [...source.matchAll(/\b(?:test|onBothPaths|overBoth)\(\s*(?:'((?:[^'\\]|\\.)*)'|`([^`]*)`)/g)].map(
    ([, plain, template]) => (plain ?? template ?? '').replaceAll(/\$\{[^}]*\}/g, '…')
  )

const git = (...args: readonly string[]): string =>
  execFileSync('git', args, {encoding: 'utf8', maxBuffer: 100 * 1024 * 1024})

if (revision === undefined) {
  console.error('Usage: node test/runner/titles.ts REVISION')
  process.exit(1)
}
const now = new Set(
  globSync(['test/**/*.ts', 'src/packages/*/test/**/*.ts']).flatMap(file => titlesIn(readFileSync(file, 'utf8')))
)
const files = git('ls-tree', '-r', '--name-only', revision, 'test', 'src/packages')
  .split('\n')
  .filter(name => /^(?:test|src\/packages\/[\w-]+\/test)\/.*\.ts$/.test(name))
let count = 0
let lost = 0
for (const file of files)
  for (const title of titlesIn(git('show', `${revision}:${file}`))) {
    count++
    if (now.has(title)) continue
    lost++
    console.log(`${file}: ${title}`)
  }
console.log(`${count} titles at ${revision}, ${lost} of them are gone`)
process.exitCode = lost === 0 ? 0 : 1
