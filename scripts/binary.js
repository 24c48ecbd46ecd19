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
import {buildPage} from './build-page.js'
import {checkExecutable} from './check-executable.js'
import {signAdHoc} from './mach-o.js'
import {bundleParts, FILES, LIBRARIES, PARTS} from './parts.js'
import {HERE, nodeOf, TARGETS} from './targets.js'

const folder = resolve('build/parts')
const at = name => join(folder, name)
const output = name => resolve('build', name)

/** The program's main module: `bin/load.cjs` with the assets of the executable. */
const mainOf = hasCode => `const {load} = (exports => {
${readFileSync('bin/load.cjs', 'utf8')}
return exports })({})
const sea = require('node:sea')
const assetOf = name => Buffer.from(sea.getRawAsset(name))
load({
  assetOf,
  libraries: ${JSON.stringify(FILES)},
  ownUrl: require('node:url').pathToFileURL(process.execPath).href,
  codeOf: part => ${hasCode ? "assetOf(part + '.code')" : 'undefined'},
  keepCode: () => {}
})
`
/** A first run, which keeps the code that V8 compiled of a part. */
const warmScript = () => `const {readFileSync, writeFileSync} = require('node:fs')
const {load} = require(${JSON.stringify(resolve('bin/load.cjs'))})
const assetOf = name => readFileSync(${JSON.stringify(folder)} + '/' + name)
load({
  assetOf,
  libraries: ${JSON.stringify(FILES)},
  ownUrl: require('node:url').pathToFileURL(process.execPath).href,
  codeOf: () => undefined,
  keepCode: (script, part) =>
    process.on('exit', () => writeFileSync(${JSON.stringify(folder)} + '/' + part + '.code', script.createCachedData()))
})
`

/** Runs a part once, beside a template of one app, and keeps the code that this took. */
function warmUp({args}) {
  const room = mkdtempSync(join(tmpdir(), 'pillion-binary-'))
  writeFileSync(
    join(room, 'dapr.yaml'),
    'version: 1\napps:\n  - appDirPath: .\n    appID: one\n    command: ["true"]\n'
  )
  writeFileSync(at('warm.cjs'), warmScript())
  const env = {...process.env, PILLION_RUNTIME_DIR: join(room, 'run'), PILLION_NAMES: '0'}
  execFileSync(process.execPath, [at('warm.cjs'), ...args], {cwd: room, env, stdio: ['ignore', 'ignore', 'inherit']})
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
await bundleParts(folder, {target: `node${process.versions.node}`, quality: 11})
for (const part of PARTS) {
  warmUp(part)
  checkCode(part)
}
await buildPage()
if (names.length === 0) assemble(HERE, process.execPath, output('pillion'))
for (const name of names) assemble(name, nodeOf(name, resolve('build/nodes')), output(`pillion-${name}`))
rmSync(folder, {recursive: true})
