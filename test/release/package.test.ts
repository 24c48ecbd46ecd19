import {execFileSync} from 'node:child_process'
import {existsSync, readFileSync, realpathSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')

const pack = (...args: readonly string[]): {readonly filename: string; readonly files: readonly {path: string}[]} => {
  const json = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], {cwd: ROOT, encoding: 'utf8'})
  const [packed] = JSON.parse(json) as ReturnType<typeof pack>[]
  if (packed === undefined) throw new Error('npm packed nothing')
  return packed
}

t.test('the package holds the program, its schema and its papers: no tests, no sources', async t => {
  const paths = pack('--dry-run').files.map(({path}) => path)
  const known =
    /^(bin\/(?:pillion\.js|(?:load|start)\.cjs|package\.json)|dist\/program|schema\/(?:template\.json|api\.yaml)|package\.json)$/
  const papers = /^(README\.md|LICENSE)$/
  t.same(
    paths.filter(path => !known.test(path) && !papers.test(path)),
    []
  )
  for (const path of ['bin/pillion.js', 'dist/program', 'schema/template.json']) t.ok(paths.includes(path), path)
})

t.test('the package has no script that npm runs when it is installed or packed', async t => {
  const {scripts} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {scripts: Record<string, string>}
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepack', 'postpack'])
    t.notOk(name in scripts, name)
})

t.test('installed into an empty folder, with nothing beside it, npx runs a template', async t => {
  const rig = await openRig(t)
  const {filename} = pack('--pack-destination', rig.folder)
  const install = rig.start(['npm', 'install', '--offline', '--no-audit', '--no-fund', `./${filename}`])
  t.match(await install.exited, {code: 0})
  const folders = (await readdir(join(rig.folder, 'node_modules'))).filter(name => !name.startsWith('.'))
  t.same(folders, ['pillion'])
  await rig.template([{appID: 'shop', command: ['echo', 'open']}])
  const run = rig.start(['npx', '--offline', 'pillion', 'run', '-f', '.'])
  t.match(await run.exited, {code: 0})
  t.match(run.stdout.text, '== APP - shop == open\n')
  t.same(await rig.leftovers(), [])
})

t.test('an empty home: one line runs a template, by npx of the file, and by npm -g', async t => {
  const rig = await openRig(t)
  const {filename} = pack('--pack-destination', rig.folder)
  await rig.template([{appID: 'shop', command: ['echo', 'open']}])
  t.same(await readdir(rig.home), [])
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-update-notifier']
  const prefix = join(rig.home, '.local')
  const lines = [
    ['npx', ...quiet, '--yes', `file:./${filename}`, 'up'],
    ['sh', '-c', `npm install -g --prefix ${prefix} ${quiet.join(' ')} ./${filename} && ${prefix}/bin/pillion up`]
  ]
  for (const line of lines) {
    const run = rig.start(line)
    t.match(await run.exited, {code: 0}, line.join(' '))
    t.match(run.stdout.text, '== APP - shop == open\n')
  }
  t.same(await readdir(join(prefix, 'lib/node_modules')), ['pillion'])
  const removed = rig.start(['npm', 'uninstall', '-g', '--prefix', prefix, ...quiet, 'pillion'])
  t.match(await removed.exited, {code: 0})
  t.same(await readdir(join(prefix, 'bin')), [], 'nothing is left')
  t.same(await rig.leftovers(), [])
})

const old = olderNode()
const skipOld = old === undefined ? 'there is no Node older than 22.22 on the PATH' : false

t.test('a Node that is too old is told by one line, exit 1', {skip: skipOld}, async t => {
  const rig = await openRig(t)
  const program = rig.start([old?.path ?? '', join(ROOT, 'bin/pillion.js'), 'run', '-f', '.'])
  t.match(await program.exited, {code: 1})
  t.equal(program.stdout.text, '')
  t.equal(program.stderr.text, `pillion needs Node 22.22 or newer, this is ${old?.version ?? ''}\n`)
})

function olderNode(): {readonly path: string; readonly version: string} | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'node'))
  const all = [...new Set(paths.filter(existsSync).map(path => realpathSync(path)))]
  const found = all.map(path => ({
    path,
    version: execFileSync(path, ['-p', 'process.versions.node'], {encoding: 'utf8'}).trim()
  }))
  return found.find(({version}) => {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return major < 22 || (major === 22 && minor < 22)
  })
}
