// Writes build/pillion: one executable for this platform, Node and the whole program inside (a single executable application of
// Node's). The program comes with the code that V8 made of it in a first run: that halves what loading takes. With names of
// platforms (`node scripts/binary.js darwin-arm64 …`, or `all`) writes build/pillion-NAME for each: V8's code is of one processor
// and system, so that only the executable for this platform has it.
import {execFileSync} from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {Script} from 'node:vm'
import {brotliCompressSync} from 'node:zlib'
import {build} from 'esbuild'
import {buildPage} from './build-page.js'
import {checkExecutable} from './check-executable.js'
import {signAdHoc} from './mach-o.js'
import {HERE, nodeOf, TARGETS} from './targets.js'

const folder = resolve('build/parts')
const at = name => join(folder, name)
const output = name => resolve('build', name)

/** Commands that a part of the program does not run, or the code of one. */
const without = isOutside => ({
  name: 'commands stay outside',
  setup: ({onResolve}) =>
    onResolve({filter: /^\./}, ({kind, importer, path}) =>
      kind === 'dynamic-import' && isOutside(path, importer) ? {external: true} : null
    )
})
const isCommand = importer => /\/(commands|entries\/[a-z]+)\.ts$/.test(importer)

/**
 * The whole program but for `mcp`, which has a part of its own, and as much of it as `--version` and `--help` take: half of what
 * they would cost is the reading of the rest.
 */
const WHOLE = {name: 'pillion', args: ['run', '-f', '.'], plugins: [without(path => path.endsWith('/mcp/serve.ts'))]}
const WORDS = {name: 'words', args: ['--help'], plugins: [without((_, importer) => isCommand(importer))]}
const MCP = {
  name: 'mcp',
  args: ['mcp'],
  input: [
    {
      method: 'initialize',
      params: {protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {name: '', version: ''}}
    },
    {method: 'tools/list'}
  ]
    .map((message, id) => `${JSON.stringify({jsonrpc: '2.0', id, ...message})}\n`)
    .join(''),
  plugins: [without((path, importer) => isCommand(importer) && !path.endsWith('/mcp.ts'))]
}
const PARTS = [WHOLE, WORDS, MCP]

/** Half of the program, and few runs load any of it: each is read when it is first asked for. */
const LIBRARIES = [
  '@kubernetes/client-node/dist/config.js',
  '@platformatic/kafka',
  '@redis/client',
  'amqplib',
  'pg'
].map((library, index) => ({name: `library-${index}`, library}))

/** What few ask for is compressed: 5 MB of the executable. */
const PACKED = [...LIBRARIES.map(({name}) => `${name}.cjs`), `${MCP.name}.cjs`, `${MCP.name}.code`]

/** A bundle as the body of a function, as CommonJS modules are. */
async function bundle({name, library, plugins}) {
  await build({
    ...(library === undefined
      ? {entryPoints: ['src/clients/cli/main.ts'], external: LIBRARIES.map(({library}) => library)}
      : {stdin: {contents: `module.exports = require('${library}')`, resolveDir: '.'}}),
    outfile: at(`${name}.cjs`),
    bundle: true,
    plugins,
    format: 'cjs',
    platform: 'node',
    target: `node${process.versions.node}`,
    // `require`: there is no other file to import
    supported: {'dynamic-import': false},
    // not the names: they stand in stack traces
    minifyWhitespace: true,
    minifySyntax: true,
    alias: {'@platformatic/wasm-utils': './node_modules/@platformatic/wasm-utils/dist/bundled.js'},
    // modules that look for others ask where they are
    define: {'import.meta.url': 'ownUrl'},
    banner: {
      js: "(function (require, module, exports) { const ownUrl = require('node:url').pathToFileURL(process.execPath).href"
    },
    footer: {js: '})'}
  })
  // it is read as Latin-1, which costs no decoding; esbuild leaves other letters as they are in regular expressions
  const text = readFileSync(at(`${name}.cjs`), 'utf8')
  writeFileSync(at(`${name}.cjs`), text.replaceAll(/[^\0-\x7f]/g, escaped))
}

/** A unit of UTF-16 as an escape of JavaScript. */
const escaped = unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Behind lines that say what `source` and `cachedData` are. node:crypto, 12 ms of a start, is loaded when a value of it is first asked for. */
const LOAD = `
const {Script} = require('node:vm')
const crypto = new Proxy({}, {get: (_, name) => require('node:crypto')[name]})
const script = new Script(source, {filename: 'pillion', cachedData})
script.runInThisContext()(name => name === 'node:crypto' ? crypto : find(name), module, exports)
`
const mainOf = hasCode => `const sea = require('node:sea')
const word = process.argv.slice(2).find((arg, i, all) => !arg.startsWith('-') && all[i - 1] !== '--runtime-path')
const name = word === 'mcp' ? '${MCP.name}' : process.argv.length === 3 && ['-v', '--version', '-h', '--help', 'help'].includes(process.argv[2]) ? '${WORDS.name}' : '${WHOLE.name}'
const packed = ${JSON.stringify(PACKED)}
function assetOf(name) {
  const bytes = Buffer.from(sea.getRawAsset(name))
  return packed.includes(name) ? require('node:zlib').brotliDecompressSync(bytes) : bytes
}
const textOf = name => assetOf(name + '.cjs').latin1Slice()
const source = textOf(name), cachedData = ${hasCode ? "assetOf(name + '.code')" : 'undefined'}
const libraries = ${JSON.stringify(Object.fromEntries(LIBRARIES.map(({name, library}) => [library, name])))}
const found = new Map()
function find(name) {
  if (!Object.hasOwn(libraries, name)) return require(name)
  if (!found.has(name)) {
    const module = {exports: {}}
    new Script(textOf(libraries[name]), {filename: name}).runInThisContext()(require, module, module.exports)
    found.set(name, module.exports)
  }
  return found.get(name)
}
${LOAD}
`
const warmScript = name => `const {readFileSync, writeFileSync} = require('node:fs')
const source = readFileSync(${JSON.stringify(at(`${name}.cjs`))}, 'latin1'), cachedData = undefined, find = require
process.on('exit', () => writeFileSync(${JSON.stringify(at(`${name}.code`))}, script.createCachedData()))
${LOAD}
`

/** Runs a bundle once, beside a template of one app, and keeps the code that this took. */
function warmUp({name, args, input = ''}) {
  const room = mkdtempSync(join(tmpdir(), 'pillion-binary-'))
  writeFileSync(
    join(room, 'dapr.yaml'),
    'version: 1\napps:\n  - appDirPath: .\n    appID: one\n    command: ["true"]\n'
  )
  writeFileSync(at('warm.cjs'), warmScript(name))
  const env = {...process.env, PILLION_RUNTIME_DIR: join(room, 'run')}
  execFileSync(process.execPath, [at('warm.cjs'), ...args], {
    cwd: room,
    env,
    input,
    stdio: ['pipe', 'ignore', 'inherit']
  })
  rmSync(room, {recursive: true})
}

/** Code that was made under other flags of V8 is silently not taken, and each start compiles anew. */
function checkCode({name}) {
  const cachedData = readFileSync(at(`${name}.code`))
  const script = new Script(readFileSync(at(`${name}.cjs`), 'latin1'), {filename: 'pillion', cachedData})
  if (script.cachedDataRejected) throw new Error(`V8 does not take back the code that it made of ${name}.cjs`)
}

/** Takes off 30 MB of names that only a debugger reads. LLVM's knows the formats of all systems. */
function strip(file, target) {
  for (const program of target === HERE && process.platform === 'linux' ? ['strip', 'llvm-strip'] : ['llvm-strip']) {
    try {
      return execFileSync(program, ['--strip-all', file])
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  console.error(
    `no program strips the Node of ${target} (binutils, llvm): the executable will be larger than it need be`
  )
}

/** The executable of a target, from its Node. */
function assemble(target, node, file) {
  const hasCode = target === HERE
  const own = at(`node-${target}`)
  const made = at(`made-${target}`)
  copyFileSync(node, own)
  chmodSync(own, 0o755)
  strip(own, target) // before: the finished file does not survive it
  writeFileSync(at('main.cjs'), mainOf(hasCode))
  const names = PARTS.flatMap(({name}) => (hasCode ? [`${name}.cjs`, `${name}.code`] : [`${name}.cjs`]))
  const assets = [...names, ...LIBRARIES.map(({name}) => `${name}.cjs`)].map(name => [name, at(name)])
  const page = readdirSync('dist/page').map(name => [`page/${name}`, resolve('dist/page', name)])
  const settings = {
    main: at('main.cjs'),
    executable: own,
    output: made,
    assets: {...Object.fromEntries([...assets, ...page]), 'install.sh': resolve('scripts/install.sh')},
    disableExperimentalSEAWarning: true,
    execArgvExtension: 'none' // NODE_OPTIONS is for the Node of the apps
  }
  writeFileSync(at('sea.json'), JSON.stringify(settings))
  execFileSync(process.execPath, ['--build-sea', at('sea.json')], {stdio: ['ignore', 'ignore', 'inherit']})
  // macOS starts nothing unsigned
  if (target.startsWith('darwin')) signAdHoc(made, 'pillion')
  chmodSync(made, 0o755)
  checkExecutable(made, target)
  renameSync(made, file) // one that runs cannot be written
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(0)} MB`)
}

const names = process.argv[2] === 'all' ? Object.keys(TARGETS) : process.argv.slice(2)
for (const name of names)
  if (TARGETS[name] === undefined)
    throw new Error(`no such platform: ${name}; there are ${Object.keys(TARGETS).join(', ')}`)
rmSync(folder, {recursive: true, force: true})
mkdirSync(folder, {recursive: true})
for (const part of PARTS) {
  await bundle(part)
  warmUp(part)
  checkCode(part)
}
for (const library of LIBRARIES) await bundle(library)
for (const name of PACKED) writeFileSync(at(name), brotliCompressSync(readFileSync(at(name))))
await buildPage()
if (names.length === 0) assemble(HERE, process.execPath, output('pillion'))
for (const name of names) assemble(name, nodeOf(name, resolve('build/nodes')), output(`pillion-${name}`))
rmSync(folder, {recursive: true})
