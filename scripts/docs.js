// Writes what docs/ says of commands and keys from their definitions, and draws terminals from real runs of the built program.
// A test holds the pages against the definitions.
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, unicorn/consistent-function-scoping -- schemas are JSON without types */
import {execFileSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Document, parse} from 'yaml'
import {COMMANDS} from '../src/clients/cli/commands.ts'
import {picture} from '../docs/picture.js'
import {helpOf, overview} from '../src/clients/cli/help.ts'
import {compatibilityPage, ledgerPage} from './ledger.ts'
import {messagesPage} from './messages.ts'

const root = join(import.meta.dirname, '..')

/** The generated pages: their names in docs/ and their texts. */
export const pages = () => ({
  'commands.md': commandsPage(),
  'template.md': templatePage(),
  'events.md': eventsPage(),
  'compatibility.md': compatibilityPage(),
  '../test/ledger/ledger.md': ledgerPage(),
  'messages.md': messagesPage()
})

function commandsPage() {
  const parts = COMMANDS.map(entry => `## ${entry.name}\n\n${block(helpOf('pillion', entry))}`)
  return `# Commands\n\n${written('src/clients/cli/commands.ts')}\n\n${block(overview('pillion', COMMANDS))}\n${parts.join('\n')}`
}

const written = from => `<!-- written by \`npm run docs\` from ${from} -->`
const block = text => `\`\`\`\n${text.trimEnd()}\n\`\`\`\n`

function templatePage() {
  const schema = JSON.parse(readFileSync(join(root, 'schema/template.json'), 'utf8'))
  const {app, ...definitions} = schema.definitions
  const resolve = ({$ref, ...own}) => ({...definitions[$ref?.split('/').at(-1)], ...own})
  const rows = properties => Object.entries(properties).map(([name, key]) => [name, resolve(key)])
  const {common, apps, ...top} = schema.properties
  const own = Object.entries(app.properties).filter(([name]) => !(name in common.properties))
  return [
    `# The template\n\n${written('schema/template.json')}\n`,
    `${schema.description}\n`,
    'Your editor completes and checks it where it knows the schema; with the YAML language server by a first line:\n',
    block('# yaml-language-server: $schema=template.json        (written by: pillion schema > template.json)'),
    `## The whole\n\n${table(rows(top))}\n`,
    `\`common\`: ${common.description} \`apps\`: ${apps.description ?? app.description}\n`,
    `## An app\n\n${table(rows(Object.fromEntries(own)))}\n`,
    `## An app, and \`common\`\n\n${table(rows(common.properties))}\n`,
    details(rows({...app.properties, ...common.properties}), resolve)
  ].join('\n')
}

/** Each type of event: when it comes, what it brings, and one from a real run (`docs/events.json`). */
function eventsPage() {
  const {schemas} = parse(readFileSync(join(root, 'schema/api.yaml'), 'utf8')).components
  const examples = JSON.parse(readFileSync(join(root, 'docs/events.json'), 'utf8'))
  const schemaOf = ({$ref, ...own}) => ($ref === undefined ? own : schemas[$ref.split('/').at(-1)])
  const part = ({description, required, properties}) => {
    const type = properties.type.const
    const fields = Object.entries(schemaOf(properties.data).properties ?? {})
    const id = required.includes('id')
      ? 'Has an id.'
      : properties.id === undefined
        ? 'Has no id.'
        : 'Has an id, unless it is a sample.'
    const rows = fields.map(
      ([name, field]) => `| \`${name}\` | ${typeText(field)} | ${cell(field.description ?? '')} |`
    )
    return [
      `## ${type}\n\n${description} ${id}\n`,
      rows.length === 0 ? '' : `| \`data\` | type | meaning |\n|---|---|---|\n${rows.join('\n')}\n\n`,
      `\`\`\`json\n${JSON.stringify(examples[type], undefined, 2)}\n\`\`\`\n`
    ]
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
  }
  return `# Events\n\n${written('schema/api.yaml, and from a real run')}\n\n${EVENTS}\n${schemas.Event.oneOf.map(part).join('\n')}`
}

const EVENTS = `\`GET /api/v1/events\` on the control socket of a run, and at the port of its [page](dashboard.md), streams what happens: server-sent events, or one JSON object a line if \`Accept\` has
\`ndjson\`. \`pillion events -f -o ndjson\` prints them, \`--types app,death\` only some. \`?types=\`, \`?app=\` and \`?after=ID\` select; \`schema/api.yaml\` describes all of it.

A reader that sends the id of its last event gets the events after it. Events without an id are samples: they are not sent again. In the examples, lists have their first entry alone.
`

/** The type of a field, in a few words. */
function typeText({$ref, type, enum: values, const: only, items, oneOf}) {
  if ($ref !== undefined) return $ref.split('/').at(-1)
  if (only !== undefined) return `\`${only}\``
  if (values !== undefined) return values.map(value => `\`${value}\``).join(', ')
  if (type === 'array') return `list of ${typeText(items ?? {})}`
  if (oneOf !== undefined) return oneOf.map(typeText).join(' or ')
  return [type ?? 'any'].flat().join(' or ')
}

const cell = text => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = value => (value === undefined || value === '' ? '' : `\`${cell(JSON.stringify(value))}\``)

/** An example as it stands in a template, in one line. */
function example(name, value) {
  if (value === undefined) return ''
  const key = name.split('.').at(-1)
  const document = new Document({}, {version: '1.1'})
  document.contents = document.createNode({[key]: document.createNode(value, {flow: true})})
  return `\`${cell(document.toString({lineWidth: 0, flowCollectionPadding: false}).trimEnd())}\``
}

const table = rows =>
  [
    '| key | meaning | default | example |\n|---|---|---|---|',
    ...rows.map(
      ([name, {description = '', default: usual, examples = []}]) =>
        `| \`${name}\` | ${cell(description).replaceAll('<', '&lt;')} | ${code(usual)} | ${example(name, examples[0])} |`
    )
  ].join('\n')

/** What stands inside those keys that are maps of known keys. */
const details = (rows, resolve) =>
  rows
    .filter(([, {properties}]) => properties !== undefined)
    .map(([name, {properties}]) => {
      const inside = Object.entries(properties).map(([key, value]) => [`${name}.${key}`, resolve(value)])
      return `## In \`${name}\`\n\n${table(inside)}\n`
    })
    .join('\n')

const COLUMNS = 110

/** What a command prints on a terminal. */
function onTerminal(command, cwd) {
  const home = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    PILLION_RUNTIME_DIR: join(home, 'run'),
    PILLION_NAMES: '0'
  }
  const pillion = `${process.execPath} ${join(root, 'bin/pillion.js')}`
  const line = `stty cols ${COLUMNS}; pillion() { ${pillion} "$@"; }; ${command}; true`
  try {
    return execFileSync('script', ['-qec', line, '/dev/null'], {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit']
    })
  } finally {
    rmSync(home, {recursive: true})
  }
}

const MISTAKE = `version: 1
apps:
  - appID: shop
    appDirPath: shop
    command: node shop.mjs
`

/** The example of actors runs until the cart is full; the second command is shown as it is typed. */
const CART = `pillion run -f . > /dev/null 2>&1 & pillion wait --for 'log:shop:pears home' > /dev/null
pillion actors; echo '$ pillion calls actor:Cart/Ada'; pillion calls actor:Cart/Ada; pillion stop -f . > /dev/null 2>&1`

/** The pictures: their names in docs/, and what they show. */
function pictures() {
  const folder = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  writeFileSync(join(folder, 'dapr.yaml'), MISTAKE)
  mkdirSync(join(folder, 'shop'))
  const shown = (name, command, cwd) => [
    name,
    picture(command, onTerminal(command, cwd).replaceAll(cwd, '/home/me/shop'), COLUMNS)
  ]
  try {
    return Object.fromEntries([
      shown('run.svg', 'pillion run -f .', join(root, 'examples/orders')),
      shown('mistake.svg', 'pillion validate', folder),
      ['actors.svg', picture('pillion actors', onTerminal(CART, join(root, 'examples/cart')), COLUMNS)]
    ])
  } finally {
    rmSync(folder, {recursive: true})
  }
}

/** Scenes that the test of a day keeps of its terminals, each as a picture. */
function scenes() {
  const folder = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  try {
    execFileSync(process.execPath, [join(root, 'test/docs/day.test.ts')], {
      env: {...process.env, PILLION_SCENES: folder, TAP_TIMEOUT: '180'},
      stdio: ['ignore', 'ignore', 'inherit']
    })
    return Object.fromEntries(
      readdirSync(folder).map(file => {
        const {command, columns, shown} = JSON.parse(readFileSync(join(folder, file), 'utf8'))
        return [file.replace('.json', '.svg'), picture(command, shown, columns)]
      })
    )
  } finally {
    rmSync(folder, {recursive: true})
  }
}

/** The words of a page that a real run has written: without its times, durations, ports and ids, which differ each time. */
const wordsOf = text =>
  [...new Set(text.replaceAll(/<[^>]*>/g, '').match(/\p{L}[\p{L}\d-]*/gu))]
    .filter(word => !/\d|^(?:µs|ms|s|min|h)$/.test(word))
    .toSorted()
    .join(' ')

/** Writes a file of docs/, unless a new run has changed only its numbers. */
function write(name, text, isOfRun) {
  const path = join(root, 'docs', name)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (before === text || (isOfRun && wordsOf(before) === wordsOf(text))) return
  writeFileSync(path, text)
  console.log(`docs/${name}`)
}

if (import.meta.main) {
  const {realEvents} = await import('../docs/real-events.ts')
  const {drawDashboard} = await import('../docs/dashboard-picture.ts')
  const {drawSpans} = await import('../docs/spans-picture.ts')
  const {drawWorkflows} = await import('../docs/workflows-picture.ts')
  const {launch} = await import('../test/browser/browser.ts')
  const browser = await launch()
  for (const drawn of [drawDashboard, drawSpans, drawWorkflows]) await drawn(join(root, 'docs'), browser)
  await browser.close()
  write('events.json', `${JSON.stringify(await realEvents(), undefined, 2)}\n`, true)
  for (const [name, text] of Object.entries(pages())) write(name, text, false)
  for (const [name, text] of Object.entries({...pictures(), ...scenes()})) write(name, text, true)
}
