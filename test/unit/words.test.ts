import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {COMMANDS} from '../../src/clients/cli/commands.ts'
import {helpOf, overview} from '../../src/clients/cli/help.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A private word, and the standard one. */
const WORDS: Readonly<Record<string, string>> = {
  'doors?': 'sidecar, listener, port',
  'gates?': 'admission queue',
  'lanes?': 'fast path',
  'musters?': 'create app runtimes',
  'chronicles?': 'sidecar log',
  'lodgers?': 'mounted router',
  'stray(?:s|ed)?': 'orphan',
  'guardians?': 'watchdog',
  'neighbou?rs?': 'peer run',
  'conducts?': 'call handler',
  'tall(?:y|ies)': 'stats',
  'deeds?': 'command handler',
  'visits?': 'pending call',
  beside: 'candidate, next to, besides',
  'twins?': 'duplicate run',
  'checkups?': 'doctor',
  'remarks?': 'check',
  'surger(?:y|ies)': 'reload strategy',
  'houses?': 'project',
  'sheds?': 'module',
  'floors?': 'layer'
}

/** What is said plainer, in what a person reads most: commands and the page. */
const PLAIN: Readonly<Record<string, string>> = {
  'goes? on': 'continues',
  'so many': 'a number',
  'for so long': 'for that time'
}

/** What is said plainer in all of the source: its comments, messages and names. */
const IN_SOURCE: Readonly<Record<string, string>> = {
  'stands?': 'is; means, matches or replaces; keeps from',
  stood: 'was',
  whoever: 'who, each that'
}

/** Rooms are modules in prose; in code a buffer may have room. */
const IN_PROSE: Readonly<Record<string, string>> = {'rooms?': 'module'}

/** Names that are public, or somebody else's. */
const ALLOWED: readonly (readonly [file: RegExp, line: RegExp])[] = [
  [/\.tsx?$/, /\bMath\.floor\(/],
  [/\.ts$/, /\bstand-ins?\b/],
  [/^src\/(?:packages\/import\/write-template|files\/yaml\/explain|observe\/api\/template)\.ts$/, /\bvisit\b/], // of the package yaml
  [/^src\/supervisor\/messages\/best-line\.ts$/, /info Visit/] // printed by yarn
]

/** The words of a line: names are taken apart at capitals and underscores. */
const wordsOf = (line: string): string => line.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').replaceAll('_', ' ')

const patternOf = (words: Readonly<Record<string, string>>): RegExp =>
  new RegExp(`\\b(?:${Object.keys(words).join('|')})\\b`, 'i')

/** A constant that says MOST or PATIENCE where the others say MAX and TIMEOUT. */
const CONSTANT = /\b(?:[A-Z\d]+_)*(?:MOST|PATIENCE)(?:_[A-Z\d]+)*\b/

const faultsIn = (file: string, text: string): readonly string[] => {
  const isProse = !/\.tsx?$/.test(file)
  const isRead = /^(?:src\/clients|page|help)\b/.test(file)
  const isSource = /^(?:src|page)\/.*\.tsx?$|^help$/.test(file) && !file.includes('/test/')
  const words = patternOf({...WORDS, ...(isProse && IN_PROSE), ...(isSource && IN_SOURCE), ...(isRead && PLAIN)})
  return text.split('\n').flatMap((line, index) => {
    const found = words.exec(wordsOf(line))?.[0] ?? CONSTANT.exec(line)?.[0]
    const isAllowed = ALLOWED.some(([files, lines]) => files.test(file) && lines.test(line))
    return found === undefined || isAllowed ? [] : [`${file}:${index + 1}: "${found}" in: ${line.trim()}`]
  })
}

t.test('source, schema and documents use standard terms', async t => {
  const folders = ['src', 'schema', 'docs', 'page'].flatMap(folder =>
    readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'}).map(name => `${folder}/${name}`)
  )
  const files = [...folders, 'README.md', 'CONTRIBUTING.md'].filter(file => /\.(?:tsx?|md|json)$/.test(file))
  t.ok(files.length > 200)
  t.strictSame(
    files.flatMap(file => faultsIn(file, readFileSync(join(ROOT, file), 'utf8'))),
    []
  )
})

t.test('help uses standard terms', async t => {
  const help = [overview('pillion', COMMANDS), ...COMMANDS.map(entry => helpOf('pillion', entry))].join('\n')
  t.ok(help.length > 2000)
  t.strictSame(faultsIn('help', help), [])
})

t.test('the check finds a word in prose, within a name, and as a constant', async t => {
  const text = [
    'the door of an app',
    'const isGateOpen = true',
    'const LINES_MOST = 1',
    'const gateway = 1',
    'Math.floor(1)'
  ]
  t.strictSame(
    faultsIn('x.ts', text.join('\n')).map(fault => /"(.*?)"/.exec(fault)?.[1]),
    ['door', 'Gate', 'LINES_MOST']
  )
})
