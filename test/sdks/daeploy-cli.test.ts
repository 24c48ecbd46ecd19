import {cpSync, existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openSdk, type Sdk} from '../rig/sdk.ts'

// The first test of a machine installs the SDK.
t.setTimeout(400_000)

const ECHO = join(import.meta.dirname, '../fixtures/daeploy/echo')

interface Done {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Daeploy's own command line, answered with `typed`. */
const cliOf =
  (rig: Rig, {bin, env}: Sdk) =>
  async (words: readonly string[], typed = ''): Promise<Done> => {
    const program = rig.start([join(bin, 'daeploy'), ...words], {env: {...env, COLUMNS: '200', TERM: 'dumb'}})
    program.stdin.end(typed)
    const {code} = await program.exited
    return {code, out: program.stdout.text, err: program.stderr.text}
  }

const HEAD = /MAIN {4}NAME {4}VERSION {4}STATUS {4}RUNNING\n-{6} {2}-{6} {2}-{9} {2}-{8} {2}-{35}\n/.source
const SINCE = /Running \(since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)/.source

t.test("Daeploy's command line manages a run: login, deploy, ls, logs, assign, kill", async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  cpSync(ECHO, join(rig.folder, 'echo'), {recursive: true, filter: source => !/__pycache__|\.db$/.test(source)})
  await rig.write({'echo/.s2i/environment': 'APP_FILE = service.py\n', 'dapr.yaml': 'version: 1\nmanagerPort: 0\n'})
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = (await managerOf(run)).replace('127.0.0.1', 'localhost')
  const daeploy = cliOf(rig, sdk)

  t.match(await daeploy(['ls']), {code: 1, out: /You must log in to a host/, err: 'Aborted.\n'})
  t.match(await daeploy(['login'], `${manager}\n`), {code: 0, out: `Enter Daeploy host: Changed host to ${manager}\n`})
  t.match(await daeploy(['ls']), {
    code: 0,
    out: `Active host: ${manager}\nMAIN    NAME    VERSION    STATUS    RUNNING\n------  ------  ---------  --------  ---------\n\n`
  })

  const first = await daeploy(['deploy', 'hello', '1.0.0', './echo'])
  t.match(first, {code: 0, out: `Active host: ${manager}\nDeploying service...\nService deployed successfully\n`})
  t.match(first.out, new RegExp(`${HEAD}\\* {7}hello {3}1\\.0\\.0 {6}running {3}${SINCE}`))
  t.match(await daeploy(['deploy', 'hello', '2.0.0', './echo', '-e', 'FAILS=1']), {
    code: 0,
    out: /\n {8}hello {3}2\.0\.0/
  })
  t.match(await daeploy(['deploy', 'hello', '2.0.0', './echo']), {
    code: 1,
    out: /Command failed: 409 - Conflict:\s+Service with name: hello and version: 2\.0\.0 already exists!/
  })

  const greet = async (segment: string, name: string) =>
    ask(`${manager}/services/${segment}/greet`, {method: 'POST', body: {name}})
  t.match(await greet('hello', 'Ada'), {status: 200, body: '"Ada from 1.0.0"'})
  t.match(await greet('hello_2.0.0', 'Bo'), {status: 500})
  await run.waitForLine('"POST /greet HTTP/1.1" 200 OK')
  await run.waitForLine('RuntimeError: it fails')
  const logs = await daeploy(['logs', 'hello'])
  t.match(logs, {code: 0, out: /^Active host: .*\n/})
  t.match(logs.out, /Uvicorn running on http:\/\/127\.0\.0\.1:\d+/)
  t.match(logs.out, /greeting Ada/)
  t.match(logs.out, /"POST \/greet HTTP\/1\.1" 200 OK/)
  t.notMatch(logs.out, /== APP/)
  t.match(await daeploy(['logs', 'hello', '2.0.0', '--tail', 'all']), {code: 0, out: /RuntimeError: it fails/})

  const assigned = await daeploy(['assign', 'hello', '2.0.0'], 'y\n')
  t.match(assigned, {code: 0, out: /Changed main version to hello 2\.0\.0\n/})
  t.match(assigned.out, new RegExp(`${HEAD} {8}hello {3}1\\.0\\.0 .*\\n\\* {7}hello {3}2\\.0\\.0`))
  t.match(await greet('hello', 'Cy'), {status: 500})
  t.match(await daeploy(['kill', 'hello', '1.0.0'], 'y\n'), {code: 0, out: /Service hello 1\.0\.0 killed\./})
  t.match(await greet('hello_1.0.0', 'Di'), {status: 404})
  t.match(await daeploy(['kill', 'hello'], 'y\n'), {code: 0, out: /Service hello 2\.0\.0 killed\./})
  t.match(await greet('hello', 'Ed'), {status: 404})
  t.match(await daeploy(['--version']), {code: 0, out: /SDK version: 1\.3\.1\s+Manager version: \d+\.\d+\.\d+/})
  t.notOk(run.hasExited, 'a manager waits for the next deployment')
  t.equal(readFileSync(join(rig.folder, 'dapr.yaml'), 'utf8'), 'version: 1\nmanagerPort: 0\n')

  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
  t.notOk(existsSync(join(rig.folder, 'echo/service_db.db')), 'it ran in a folder of its own')
})

/** Whom the log tells of. */
const greeted = ({out}: Done): readonly string[] => [...out.matchAll(/greeting (\w+)/g)].map(([, name = '']) => name)

/** What the command line takes for the moment: UTC, to the second. Settles when the next second has begun. */
const nextSecond = async (): Promise<string> => {
  await pause(1001 - (Date.now() % 1000))
  return new Date().toISOString().slice(0, 19)
}

t.test('`daeploy logs` since a date: what came before is left out, with --tail and --follow, too', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  cpSync(ECHO, join(rig.folder, 'echo'), {recursive: true, filter: source => !/__pycache__|\.db$/.test(source)})
  const app = {appID: 'hello', version: '1.0.0', appDirPath: 'echo', command: ['python', 'service.py']}
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: [app]})})
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = (await managerOf(run)).replace('127.0.0.1', 'localhost')
  const daeploy = cliOf(rig, sdk)
  t.match(await daeploy(['login'], `${manager}\n`), {code: 0})
  const greet = async (name: string): Promise<void> => {
    t.match(await ask(`${manager}/services/hello/greet`, {method: 'POST', body: {name}}), {status: 200})
    await run.waitForLine(`greeting ${name}`)
  }
  await greet('Ada')
  const start = await nextSecond()
  await greet('Bo')
  await greet('Cy')
  const logs = async (...words: readonly string[]) => daeploy(['logs', 'hello', ...words])
  t.same(greeted(await logs('1.0.0', '--tail', 'all')), ['Ada', 'Bo', 'Cy'])
  const since = await logs('1.0.0', '--tail', 'all', '--date', start)
  t.same(greeted(since), ['Bo', 'Cy'])
  t.notMatch(since.out, /Uvicorn running/)
  t.same(greeted(await logs('--date', start.replace('T', ' '))), ['Bo', 'Cy'], 'the main version, with 50 lines')

  const follower = rig.start([join(sdk.bin, 'daeploy'), 'logs', 'hello', '1.0.0', '--date', start, '--follow'], {
    env: {...sdk.env, COLUMNS: '200', TERM: 'dumb', PYTHONUNBUFFERED: '1'}
  })
  await follower.waitForLine('greeting Cy')
  await greet('Di')
  await follower.waitForLine('greeting Di')
  t.match(await run.end(), {code: 0})
  t.match(await follower.exited, {code: 0}, 'it ends with the service')
  t.notMatch(follower.stdout.text, 'greeting Ada')
})

t.test('a new project of `daeploy init` runs from a template without a command', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  const made = await cliOf(rig, sdk)(['init'], 'mine\n')
  if (!existsSync(join(rig.folder, 'mine/.s2i/environment'))) {
    t.comment(`init made no project: ${made.out}${made.err}`)
    return
  }
  await rig.write({
    'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: [{appID: 'mine', appDirPath: 'mine'}]})
  })
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = await managerOf(run)
  t.match(JSON.parse((await ask(`${manager}/services/mine/openapi.json`)).body), {info: {title: 'mine 0.0.0'}})
  const followed = rig.start(
    [join(sdk.bin, 'python'), '-c', FOLLOW, `${manager}/services/~logs?name=mine&version=0.0.0&follow=True`],
    {env: sdk.env}
  )
  await followed.waitForLine('GET /openapi.json')
  await ask(`${manager}/services/mine/docs`)
  await followed.waitForLine('GET /docs')
  await run.end()
  t.match(await followed.exited, {code: 0}, 'who follows the log gets its end')
})

/** Prints what an address streams. */
const FOLLOW = `
import requests, sys
for line in requests.get(sys.argv[1], stream=True).iter_lines():
    print(line.decode(), flush=True)
`
