// Writes what docs/ says of commands and keys from their definitions, and draws terminals from real runs of the built program.
// A test holds the pages against the definitions.
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {COMMANDS} from './src/cli/commands.ts'
import {helpOf, overview} from './src/cli/help.ts'

const root = import.meta.dirname

/** The generated pages: their names in docs/ and their texts. */
export const pages = () => ({'commands.md': commandsPage(), 'template.md': templatePage()})

function commandsPage() {
  const parts = COMMANDS.map(entry => `## ${entry.name}\n\n${block(helpOf('pillion', entry))}`)
  return `# Commands\n\n${written('src/cli/commands.ts')}\n\n${block(overview('pillion', COMMANDS))}\n${parts.join('\n')}`
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

const cell = text => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = value => (value === undefined || value === '' ? '' : `\`${cell(JSON.stringify(value))}\``)

const table = rows =>
  [
    '| key | meaning | default | example |\n|---|---|---|---|',
    ...rows.map(
      ([name, {description = '', default: usual, examples = []}]) =>
        `| \`${name}\` | ${cell(description).replaceAll('<', '&lt;')} | ${code(usual)} | ${code(examples[0])} |`
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

/** What a command prints on a terminal of this width. */
function onTerminal(command, cwd, columns = 110) {
  const home = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    PILLION_RUNTIME_DIR: join(home, 'run')
  }
  const pillion = `${process.execPath} ${join(root, 'bin/pillion.js')}`
  const line = `stty cols ${columns}; pillion() { ${pillion} "$@"; }; ${command}; true`
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

// the eight colours and their bright kin, as a terminal on dark ground shows them
const COLOURS = ['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4']
const BRIGHT = ['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#ffffff']

/** A terminal as SVG: the command after its prompt, and what it printed, colours and all. */
function picture(command, printed) {
  const lines = [
    `$ ${command}`,
    ...printed
      .replaceAll(/[^\r\n]*\r\u001B\[K/g, '')
      .replaceAll('\r', '')
      .trimEnd()
      .split('\n')
  ]
  const height = lines.length * 18 + 32
  let style = {}
  const drawn = lines.map((line, row) => {
    const spans = line.split(/(\u001B\[[\d;]*m)/).map(part => {
      const codes = /^\u001B\[([\d;]*)m$/.exec(part)?.[1]
      if (codes === undefined) return part === '' ? '' : `<tspan${attributes(style)}>${escaped(part)}</tspan>`
      const [first, , palette] = codes.split(';').map(Number)
      if (first === 38) style = {...style, colour: cubeColour(palette)}
      else for (const number of codes.split(';').map(Number)) style = styled(style, number)
      return ''
    })
    return `<text x="16" y="${row * 18 + 30}" xml:space="preserve">${spans.join('')}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="${height}" font-family="ui-monospace, monospace" font-size="13" fill="#e6edf3">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${drawn.join('\n')}
</svg>
`
}

/** A colour of xterm's cube, 16 to 231. */
const cubeColour = number =>
  `rgb(${[36, 6, 1].map(unit => [0, 95, 135, 175, 215, 255][Math.floor((number - 16) / unit) % 6]).join(' ')})`

function styled(style, number) {
  if (number === 0) return {}
  if (number === 1) return {...style, bold: true}
  if (number === 22) return {...style, bold: false}
  if (number === 39) return {...style, colour: undefined}
  if (number >= 30 && number <= 37) return {...style, colour: COLOURS[number - 30]}
  return number >= 90 && number <= 97 ? {...style, colour: BRIGHT[number - 90]} : style
}

const attributes = ({bold, colour}) =>
  (bold ? ' font-weight="bold"' : '') + (colour === undefined ? '' : ` fill="${colour}"`)
const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const MISTAKE = `version: 1
apps:
  - appID: shop
    appDirPath: shop
    command: node shop.mjs
`

/** The pictures: their names in docs/, and what they show. */
function pictures() {
  const folder = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  writeFileSync(join(folder, 'dapr.yaml'), MISTAKE)
  const shown = (name, command, cwd) => [
    name,
    picture(command, onTerminal(command, cwd).replaceAll(cwd, '/home/me/shop'))
  ]
  try {
    return Object.fromEntries([
      shown('run.svg', 'pillion run -f .', join(root, 'examples/orders')),
      shown('mistake.svg', 'pillion validate', folder)
    ])
  } finally {
    rmSync(folder, {recursive: true})
  }
}

if (import.meta.main)
  for (const [name, text] of Object.entries({...pages(), ...pictures()})) {
    writeFileSync(join(root, 'docs', name), text)
    console.log(`docs/${name}`)
  }
