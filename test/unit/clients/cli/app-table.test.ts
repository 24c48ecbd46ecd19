import t from 'tap'
import {appColumns, appTable, startLines, urlOf, withUsage} from '../../../../src/clients/cli/app-table.ts'
import {stateText} from '../../../../src/model/app-words.ts'
import {appOf as told} from '../../../rig/listed.ts'

const NOW = 1_000_000

const iso = (ms: number): string => new Date(ms).toISOString()

t.test('the state of an app, in words', async t => {
  for (const [app, words] of [
    [{state: 'idle'}, 'not started'],
    [{state: 'idle', waitsFor: ['db', 'cache']}, 'waits for db, cache'],
    [{state: 'starting'}, 'starting'],
    [{state: 'running'}, 'not ready'],
    [{state: 'running', isReady: true}, 'ready'],
    [{state: 'stopping'}, 'stopping'],
    [{state: 'backoff', exitCode: 1, restartsAt: iso(NOW + 3200)}, 'restarting in 4 s'],
    [{state: 'backoff', exitCode: 1, restartsAt: iso(NOW - 5)}, 'restarting in 0 s'],
    [{state: 'backoff', exitCode: 1, exit: 'exited with code 1'}, 'exited 1, waits for a save'],
    [{state: 'exited'}, 'not started'],
    [{state: 'exited', exitCode: 2, exit: 'exited with code 2'}, 'exited 2'],
    [{state: 'exited', exitCode: 137, exit: 'was ended by SIGKILL'}, 'ended by SIGKILL'],
    [{state: 'stopped'}, 'stopped'],
    [{state: 'debugging'}, 'in debugger']
  ] as const)
    t.equal(stateText(told(app), NOW), words)
})

t.test('an app is reached at its URL, and one that speaks gRPC at its port', async t => {
  t.equal(urlOf(told({appPort: 3000})), 'http://localhost:3000')
  t.equal(urlOf(told({appPort: 3000, appProtocol: 'https'})), 'https://localhost:3000')
  t.equal(urlOf(told({appPort: 3000, appProtocol: 'grpc'})), '3000')
  t.equal(urlOf(told({})), '')
})

const portOf = (app: ReturnType<typeof told>): readonly string[] =>
  appColumns([{app, memoryBytes: undefined, cpu: undefined}], {width: Infinity, now: NOW}).port.cells

t.test('the port of an app is the one at which others call it', async t => {
  t.same(portOf(told({appPort: 3000})), ['3000'])
  t.same(portOf(told({appPort: 23_000, url: 'http://localhost:80'})), ['80'])
  t.same(portOf(told({})), [''])
})

const THIRTY = Array.from({length: 30}, (_, i) =>
  told({
    id: i === 7 ? 'a-service-with-a-really-long-name-that-nobody-can-read' : `service-${i}`,
    state: i === 3 ? 'idle' : 'running',
    isReady: true,
    waitsFor: i === 3 ? ['service-1', 'service-2', 'service-4', 'service-5'] : [],
    appPort: 20_000 + i,
    pid: i === 3 ? 0 : 4_000_000 + i,
    startedAt: iso(NOW - 5000)
  })
)

t.test('a table of apps is never wider than the terminal, and has a line for each app', async t => {
  const usage = new Map(THIRTY.map(({pid}) => [pid, {memoryBytes: 84 * 1024 * 1024, cpuMs: 600}]))
  const shown = withUsage(THIRTY, {usage, now: NOW})
  for (const width of [Infinity, 200, 120, 100, 80, 60, 40, 20, 8, 1]) {
    const lines = appTable(shown, {width, now: NOW}).trimEnd().split('\n')
    t.equal(lines.length, 31, `${width} columns`)
    t.same(
      lines.filter(line => line.length > width),
      []
    )
  }
  const lines = appTable(shown, {width: 80, now: NOW}).split('\n')
  t.match(lines[0], /^ID +STATE +PORT +AGE +RESTARTS +MEMORY +CPU$/)
  t.match(lines[1], /^service-0 +ready +20000 +5s +0 +84 MB +12%$/)
  const wide = appTable(shown, {width: 80, now: NOW, isWide: true}).split('\n')
  t.match(wide[0], /^ID +STATE +PORT +PID +AGE +RESTARTS +MEMORY +CPU$/)
  t.match(wide[1], /^service-0 +ready +20000 +4000000 +5s +0 +84 MB +12%$/)
  t.match(appTable(shown, {width: Infinity, now: NOW}).split('\n')[0], / PID /, 'a pipe gets all columns')
  t.match(lines[4], /^service-3 +waits for .*… +20003 +0$/, 'no process: nothing is used')
  t.match(lines[8], /^a-service-with-a.*… +ready/)
  t.match(appTable(shown, {width: Infinity, now: NOW}).split('\n')[1], 'http://localhost:20000')
  t.match(appTable(shown, {width: 20, now: NOW}).split('\n')[1], /^service-0/)
})

t.test('processor time is that since an earlier look, where there was one', async t => {
  const app = told({id: 'a', state: 'running', pid: 7, startedAt: iso(NOW - 10_000)})
  const usage = new Map([[7, {memoryBytes: 1, cpuMs: 2000}]])
  t.match(withUsage([app], {usage, now: NOW}), [{cpu: 20}])
  const before = {at: NOW - 1000, usage: new Map([[7, {memoryBytes: 1, cpuMs: 1500}]])}
  t.match(withUsage([app], {usage, now: NOW, before}), [{cpu: 50}])
})

const rows = (text: string): readonly string[] => text.trimEnd().split('\n')

t.test('on a terminal what is down is first, with a sign and a colour; a pipe keeps the template’s order', async t => {
  const apps = [
    told({id: 'web', state: 'running', isReady: true, availability: 'ready'}),
    told({id: 'payments', state: 'backoff', exitCode: 1, exit: 'exited with code 1', availability: 'never'}),
    told({id: 'sync', state: 'running', loop: {exits: 8, overMs: 60_000, shortestMs: 2000, longestMs: 2000}})
  ]
  const shown = withUsage(apps, {usage: new Map(), now: NOW})
  t.match(rows(appTable(shown, {width: 100, now: NOW})), [
    /^ID/,
    /^▲ sync {6}looping ×8/,
    /^✕ payments {2}exited 1 /,
    /^ {2}web {7}ready/,
    /^1 of 3 ready · 1 looping · 1 down: pillion why$/
  ])
  const coloured = appTable(shown, {width: 100, now: NOW, hasColours: true})
  t.match(coloured, '\x1b[31mexited 1')
  t.match(coloured, '\x1b[31m✕ payments')
  t.match(coloured, '\x1b[32mready')
  t.match(rows(appTable(shown, {width: Infinity, now: NOW})), [/^ID/, /^web/, /^payments/, /^sync/])
})

t.test('a long name leaves room for the addresses of a start', async t => {
  const port = {state: 'running', isReady: true, appPort: 20_000} as const
  const apps = [told({...port, id: 'web'}), told({...port, id: 'a-service-whose-name-is-as-long-as-a-name-can-be'})]
  t.match(startLines(apps, {width: 79, now: NOW}), [
    /^ {2}web +ready +http:\/\/localhost:20000$/,
    /^ {2}a-service-.*…  ready/
  ])
})

t.test('below a table nothing is cut: a narrow terminal has it in several lines', async t => {
  const apps = [told({id: 'web', state: 'exited', exitCode: 1}), told({id: 'api', state: 'running', isReady: true})]
  t.match(
    appTable(withUsage(apps, {usage: new Map(), now: NOW}), {width: 30, now: NOW}),
    /\n0 of 2 ready · 1 down: pillion\n {4}why\n$/
  )
})
