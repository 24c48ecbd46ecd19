import {cp} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {parse} from 'yaml'
import {blocksOf, filesOf, textOf} from '../rig/page.ts'
import {openRig} from '../rig/rig.ts'
import {installed, ofNpm, vite, type Package} from './installed.ts'

// how the manual starts programs of tools that are no dependency

t.setTimeout(300_000)

const uvicorn: Package = {
  name: 'uvicorn',
  version: '0.35.0',
  runtime: ['python3', '--version'],
  install: folder => [['python3', '-m', 'pip', 'install', '-q', '--target', folder, 'uvicorn==0.35.0']]
}

/** The command that the table of languages names for something. */
function commandFor(what: string): readonly string[] {
  const row =
    textOf('docs/languages.md')
      .split('\n')
      .find(line => line.startsWith(`| ${what}`)) ?? ''
  const [, shown = ''] = /`command: (\[.*?\])`/.exec(row) ?? []
  return parse(shown) as readonly string[]
}

interface Started {
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** An installation whose packages it finds beside it. */
  readonly packages?: string
}

/** What a program answers that is started so. */
async function answerOf(t: Test, {files, command, env = {}, packages}: Started): Promise<string> {
  const rig = await openRig(t)
  if (packages !== undefined) await cp(packages, join(rig.folder, 'app'), {recursive: true, verbatimSymlinks: true})
  await rig.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`app/${name}`, text])))
  await rig.template([{appID: 'app', autoPort: true, command, env}])
  const run = rig.pillion(['up', '--watch'], {env: {PATH: process.env['PATH'] ?? ''}})
  await run.waitForLine('Writing log files')
  const {stdout, stderr} = await rig.run(['invoke', '--app-id', 'app', '--method', '/', '--verb', 'GET'])
  t.equal(stderr, '', run.stdout.text)
  t.match(await rig.run(['down']), {code: 0})
  return stdout
}

t.test('TypeScript that needs tsx', async t => {
  const packages = await installed(t, ofNpm('tsx', '4.20.6'))
  if (packages === undefined) return
  const text = `import {createServer} from 'node:http'
enum Fruit {Pear = 'a pear'}
createServer((_, response) => response.end(Fruit.Pear)).listen(Number(process.env.PORT))`
  const command = commandFor('TypeScript that needs tsx').map(word => (word === 'node' ? process.execPath : word))
  t.match(await answerOf(t, {files: {'app.ts': text}, command, packages}), /^a pear\n/)
})

t.test('Vite, with the configuration of the page about front ends', async t => {
  const packages = await installed(t, vite)
  if (packages === undefined) return
  const {['vite.config.js']: config = ''} = filesOf('front-ends.md')
  t.ok(blocksOf('docs/front-ends.md').some(({text}) => text.includes('command: [npx, vite]')))
  const files = {'vite.config.mjs': config, 'index.html': '<p>hello from Vite</p>'}
  t.match(await answerOf(t, {files, command: commandFor('Vite'), packages}), /hello from Vite/)
})

t.test('uvicorn', async t => {
  const packages = await installed(t, uvicorn)
  if (packages === undefined) return
  const main = `async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello from uvicorn"})
`
  const command = commandFor('uvicorn').map(word => word.replace('.venv/bin/uvicorn', 'python3 -m uvicorn'))
  t.match(await answerOf(t, {files: {'main.py': main}, command, env: {PYTHONPATH: packages}}), /^hello from uvicorn\n/)
})
