// The ledger: what users rely on, row by row, in test/ledger/*.yaml; and the pages that are written from it.
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'

const root = join(import.meta.dirname, '..')

/** The sections in the order of the page: a file of test/ledger each. */
const SECTIONS = ['command-line', 'http', 'grpc', 'daeploy', 'building-blocks', 'lifecycle', 'kubernetes']

const STANDINGS = ['same', 'better', 'missing', 'other'] as const

interface Note {
  readonly why?: string | undefined
  /** Titles by test file; without titles: the whole file. */
  readonly tests?: Readonly<Record<string, string | null>> | undefined
  /** How it was checked where no test does. */
  readonly checked?: string | undefined
}

/** A behaviour, with what it is compared with Dapr or Daeploy. */
export interface LedgerRow extends Note {
  readonly behaviour: string
  readonly standing: (typeof STANDINGS)[number]
}

interface Part<Row> {
  readonly title?: string
  readonly rows: readonly Row[]
}

interface Section<Row> {
  readonly title: string
  readonly note?: string | undefined
  readonly parts: readonly Part<Row>[]
}

/** A row as it is written: its behaviour stands under its standing. */
type Written = Note & {readonly [standing in LedgerRow['standing']]?: string}

const read = (name: string): unknown => parse(readFileSync(join(root, `test/ledger/${name}.yaml`), 'utf8'))

function rowOf(file: string, row: Written): LedgerRow {
  const {why, tests, checked, ...words} = row
  const [standing, ...others] = STANDINGS.filter(each => row[each] !== undefined)
  if (standing === undefined || others.length > 0 || Object.keys(words).length > 1)
    throw new Error(`test/ledger/${file}.yaml: a row has one of ${STANDINGS.join(', ')}: ${JSON.stringify(words)}`)
  return {standing, behaviour: row[standing] ?? '', why, tests, checked}
}

/** Sections with parts with rows. */
export const ledger = (): readonly Section<LedgerRow>[] =>
  SECTIONS.map(file => {
    const {title, note, parts} = read(file) as Section<Written>
    return {title, note, parts: parts.map(part => ({...part, rows: part.rows.map(row => rowOf(file, row))}))}
  })

const COLUMNS = ['here', 'byServer', 'byDaprd', 'no'] as const

/** The kinds of each category of components: served here, by a server of the user, by daprd, not at all. */
export const componentTypes = (): readonly {
  readonly category: string
  readonly columns: readonly (readonly string[])[]
}[] =>
  Object.entries(
    read('component-types') as Record<string, {readonly [column in (typeof COLUMNS)[number]]?: string}>
  ).map(([category, columns]) => ({category, columns: COLUMNS.map(key => columns[key]?.split(' ') ?? [])}))

const rowsOf = (section: Section<LedgerRow>): readonly LedgerRow[] => section.parts.flatMap(({rows}) => rows)
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** How a row was tested, as a cell. */
const testsOf = ({tests = {}, checked}: LedgerRow): string =>
  [
    ...Object.entries(tests).map(([file, titles]) => (titles === null ? `\`${file}\`` : `\`${file}\`: ${titles}`)),
    ...(checked === undefined ? [] : [checked])
  ].join(' · ') || '—'

const table = (rows: readonly LedgerRow[]): string =>
  [
    '| behaviour | standing | test |\n|---|---|---|',
    ...rows.map(row => {
      const standing =
        row.why === undefined ? row.standing : `${row.standing}${row.why.startsWith('better: ') ? ';' : ':'} ${row.why}`
      return `| ${[row.behaviour, standing, testsOf(row)].map(cell).join(' | ')} |`
    })
  ].join('\n')

const kinds = (words: readonly string[]): string => words.map(word => `\`${word}\``).join(' ') || '–'

/** The table for those who search: every row with its test. */
export const ledgerPage = (): string => {
  const sections = ledger().map(({title, note, parts}) =>
    [
      `## ${title}`,
      ...(note === undefined ? [] : [note]),
      ...parts.flatMap(part => [...(part.title === undefined ? [] : [`### ${part.title}`]), table(part.rows)])
    ].join('\n\n')
  )
  const types = componentTypes().map(
    ({category, columns}) => `| ${[`\`${category}\``, ...columns.map(kinds)].join(' | ')} |`
  )
  return `# The ledger

<!-- written by \`npm run docs\` from the other files of this folder -->

Each row is a behaviour that users, SDKs and scripts rely on, compared with Dapr's command line (after 1.18), Dapr's sidecar, and Daeploy: same, better, missing;
"other" exists only in Pillion, or differs on purpose. The last column names the test: its file below \`test/\` (\`packages\`: below \`src/\`), and its title.
What matters of it, in one page: [compatibility](../../docs/compatibility.md).

${sections.join('\n\n')}

## Component types

"Where a server answers": a component for a server of yours; for Redis on this machine the run is that server itself where none answers. "By daprd": where Dapr’s own
sidecar (1.12 or later) is installed, one is started next to each app whose files name such a type.

| category | ours | ours, where a server answers | by daprd | not |
|---|---|---|---|---|
${types.join('\n')}
`
}

/** The rows of each section, counted by standing. */
const counts = (): string => {
  const rows = ledger().map(section => {
    const numbers = STANDINGS.map(word => rowsOf(section).filter(({standing}) => standing === word).length)
    return `| ${[section.title, rowsOf(section).length, ...numbers].join(' | ')} |`
  })
  return `| | rows | ${STANDINGS.join(' | ')} |\n|---|--:|--:|--:|--:|--:|\n${rows.join('\n')}`
}

const sentence = ({behaviour, why}: LedgerRow): string =>
  why === undefined ? `- ${behaviour}` : `- ${behaviour}: ${why}`

/** What is missing, all of it, by section. */
const missing = (): string =>
  ledger()
    .map(section => [section.title, rowsOf(section).filter(({standing}) => standing === 'missing')] as const)
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `**${title}**\n\n${rows.map(sentence).join('\n')}`)
    .join('\n\n')

/** A text with something else between two of its marks. */
const between = (text: string, name: string, inside: string): string =>
  text.replace(
    new RegExp(`(<!-- ${name}[^>]*-->\\n)[^]*?(<!-- end -->)`),
    (_, start: string, end: string) => `${start}\n${inside}\n\n${end}`
  )

/** The page for people: its own words, with what is counted and listed between its marks. */
export const compatibilityPage = (): string =>
  between(between(readFileSync(join(root, 'docs/compatibility.md'), 'utf8'), 'counts', counts()), 'missing', missing())
