// A day with a template of many kinds: a database and Redis at its root, a migration, apps in four languages. Each is saved
// while calls come, the template is edited five times, one app is debugged; ps and what lives agree at each step.
import {execFileSync} from 'node:child_process'
import {chmod, readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {living} from '../e2e/edited.ts'
import {freePort} from '../rig/free-port.ts'
import {has} from '../rig/installed.ts'
import {filesOf} from '../rig/page.ts'
import {postgresCommand, skipWithoutPostgres} from '../rig/postgres.ts'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'

const FILES: Readonly<Record<string, string>> = {
  'orders/app.ts': `import {createServer} from 'node:http'
const word: string = 'orders 1'
createServer((_, response) => response.end(word)).listen(Number(process.env.APP_PORT))
`,
  'prices/app.py': `import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'prices 1')
ThreadingHTTPServer(('127.0.0.1', int(os.environ["APP_PORT"])), Handler).serve_forever()
`,
  'stock/go.mod': 'module stock\n\ngo 1.19\n',
  'stock/main.go': `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "stock 1") })
	http.ListenAndServe("127.0.0.1:"+os.Getenv("APP_PORT"), nil)
}
`,
  'bills/Main.java': (filesOf('languages.md')['Main.java'] ?? '').replace('hello from Java', 'bills 1'),
  'migrations/001.sql': 'create table if not exists runs (id serial); insert into runs default values;\n'
}
/** What is saved of each app. */
const SAVED = {orders: 'orders/app.ts', prices: 'prices/app.py', stock: 'stock/main.go', bills: 'bills/Main.java'}

interface Row {
  readonly id: string
  readonly state: string
  readonly isReady: boolean
  readonly pid: number
  readonly httpPort: number
}

const prices = (appPort: number): TemplateApp => ({
  appID: 'prices',
  appPort,
  watch: true,
  command: ['python3', 'app.py']
})

const pidOf = (rows: readonly Row[], id: string): number | undefined => rows.find(each => each.id === id)?.pid

const rowsOf = async (rig: Rig): Promise<readonly Row[]> =>
  JSON.parse((await rig.run(['ps', '-o', 'json'])).stdout) as readonly Row[]

/** Calls these apps through the sidecar at a port, again and again, until the returned function is called; gives what was lost. */
function load(port: number, ids: readonly string[]): () => Promise<{readonly calls: number; readonly lost: string[]}> {
  const lost: string[] = []
  const over = new AbortController()
  let calls = 0
  const callAgainAndAgain = async (id: string): Promise<void> => {
    while (!over.signal.aborted) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/${id}/method/`)
      const text = await answer.text()
      calls++
      if (answer.status !== 200) lost.push(`${id}: ${answer.status} ${text}`)
      await pause(30)
    }
  }
  const loops = Promise.all(ids.map(callAgainAndAgain))
  return async () => {
    over.abort()
    await loops
    return {calls, lost}
  }
}

t.test('a day', {skip: skipWithoutPostgres}, async t => {
  if (![has(t, 'go', ['version']), has(t, 'java'), has(t, 'python3'), has(t, 'redis-server')].every(Boolean)) return
  const rig = await openRig(t)
  for (const folder of [rig.folder, dirname(rig.folder)]) await chmod(folder, 0o711) // the server of a database is nobody
  const [dbPort, redisPort, port, otherPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  await rig.write(FILES)
  const data = join(rig.folder, 'data/pg')
  const sql = ['psql', '-X', '-q', '-t', '-A', '-h', '127.0.0.1', '-p', dbPort.toString(), '-U', 'postgres']
  const redis = ['redis-server', '--port', redisPort.toString(), '--save', '1 1', '--set-proc-title', 'no'] // a title would take the place of its environment
  const go = JSON.parse(execFileSync('go', ['env', '-json', 'GOCACHE', 'GOMODCACHE'], {encoding: 'utf8'})) as Record<
    string,
    string
  >
  const watched = {autoPort: true, watch: true}
  const orders = (word: string): TemplateApp => ({
    appID: 'orders',
    ...watched,
    command: [process.execPath, 'app.ts'],
    env: {WORD: word},
    dependsOn: {migrate: 'completed'}
  })
  const always: readonly TemplateApp[] = [
    {appID: 'shop', command: []},
    {
      appID: 'db',
      appDirPath: '.',
      command: postgresCommand(data, dbPort),
      // its port is open before it takes connections
      ready: {command: ['pg_isready', '-q', '-h', '127.0.0.1', '-p', dbPort.toString()]},
      stop: {signal: 'SIGINT'}
    },
    {appID: 'redis', appDirPath: '.', command: redis, ready: {tcp: redisPort}},
    {appID: 'migrate', appDirPath: 'migrations', command: [...sql, '-f', '001.sql'], dependsOn: {db: 'ready'}},
    {appID: 'stock', ...watched, command: ['go', 'run', '.']},
    {appID: 'bills', ...watched, command: ['java', 'Main.java']}
  ]
  const job = {command: ['sleep', '1000'], appDirPath: 'orders'}
  const env = {...go, GOFLAGS: '-mod=mod'}

  /** All are ready, and what lives is what ps says. */
  const agrees = async (what: string, left: readonly string[] = []): Promise<readonly Row[]> => {
    t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '100s']), {code: 0}, what)
    const rows = await rowsOf(rig)
    const live = new Set(living(rig).map(line => line.replace(/ .*/, '')))
    t.same(
      [...live].toSorted(),
      rows
        .filter(({pid}) => pid > 0)
        .map(({id}) => id)
        .toSorted(),
      what
    )
    t.same(
      rows.filter(({state}) => state === 'stopped').map(({id}) => id),
      left,
      what
    )
    return rows
  }

  await rig.template([...always, orders('a'), prices(port)])
  let run = rig.pillion(['up', '--watch'], {env})
  await run.ports('shop')
  const atFirst = await agrees('the start')
  const sidecar = atFirst.find(({id}) => id === 'shop')?.httpPort ?? 0

  const saves = load(sidecar, Object.keys(SAVED))
  for (const [id, file] of Object.entries(SAVED)) {
    const text = await readFile(join(rig.folder, file), 'utf8')
    await rig.write({[file]: text.replace(`${id} 1`, `${id} 2`)})
    t.match(await rig.run(['wait', '--for', `reloaded:${id}`, '--timeout', '60s']), {code: 0}, id)
    const answer = await fetch(`http://127.0.0.1:${sidecar}/v1.0/invoke/${id}/method/`)
    t.equal(await answer.text(), `${id} 2`)
  }
  const edits: readonly (readonly [text: string, apps: readonly TemplateApp[]])[] = [
    ['added job', [orders('a'), prices(port), {appID: 'job', ...job}]],
    ['added work; removed job', [orders('a'), prices(port), {appID: 'work', ...job}]],
    ['changed orders', [orders('b'), prices(port), {appID: 'work', ...job}]],
    ['changed prices', [orders('b'), prices(otherPort), {appID: 'work', ...job}]],
    ['removed work', [orders('b'), prices(otherPort)]]
  ]
  for (const [text, apps] of edits) {
    await rig.template([...always, ...apps])
    await run.waitForLine(`ℹ️  edit of the template: ${text}`)
    await agrees(text)
  }
  const {calls, lost} = await saves()
  t.same(lost, [])
  t.ok(calls > 20, `${calls} calls`)

  t.match(await rig.run(['debug', 'orders']), {code: 0})
  t.notOk(living(rig).some(line => line.startsWith('orders ')))
  t.match(await rig.run(['start', 'orders']), {code: 0})
  const atLast = await agrees('it is back')
  for (const id of ['db', 'redis']) t.equal(pidOf(atLast, id), pidOf(atFirst, id), `${id} was not restarted`)
  t.equal(execFileSync(sql[0] ?? '', [...sql.slice(1), '-c', 'select count(*) from runs'], {encoding: 'utf8'}), '1\n')
  t.match(await rig.run(['down']), {code: 0})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])

  run = rig.pillion(['up', '--watch', '--only', 'orders,prices'], {env})
  await run.ports('orders')
  await agrees('two of them, and what they need', ['shop', 'redis', 'stock', 'bills'])
  t.match(await rig.run(['start', 'redis']), {code: 0})
  await agrees('a third one', ['shop', 'stock', 'bills'])
  t.match(await rig.run(['down']), {code: 0})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})
