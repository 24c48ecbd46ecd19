import t from 'tap'
import {idsIn, Prompt} from '../../../../src/clients/cli/live/prompt.ts'
import {endText, grid, readyText, startingText, waitingText} from '../../../../src/clients/cli/live/texts.ts'
import type {App} from '../../../../src/model/api.generated.ts'
import {blocksOf} from '../../../rig/page.ts'
import {appOf} from '../../../rig/listed.ts'

/** Apps that are listed like this, and of which all else is left out. */
const listed = (...apps: readonly Partial<App>[]): readonly App[] => apps.map(appOf)

const READY = {state: 'running', isReady: true, availability: 'ready'} as const
const [width, tookMs] = [79, 1234]

t.test('all are ready: how many, and where', async t => {
  const apps = listed({id: 'api', appPort: 3000, ...READY}, {id: 'worker', ...READY})
  t.equal(
    readyText(apps, {name: '', tookMs, width, rows: 0, hint: 'Ctrl-C stops · h help'}),
    '2 apps ready in 1.2 s · Ctrl-C stops · h help\n  api  http://localhost:3000\n'
  )
  t.match(
    readyText(apps, {name: 'pr-214', tookMs, width, rows: 0, hint: 'Ctrl-C stops · h help'}),
    /^pr-214: \d apps ready/
  )
  t.equal(
    readyText(apps.slice(1), {name: '', tookMs, width, rows: 0, hint: 'Ctrl-C stops'}),
    '1 app ready in 1.2 s · Ctrl-C stops\n'
  )
  const job = listed({id: 'job', state: 'exited', exitCode: 0, availability: 'finished'})
  t.match(
    readyText([...apps, ...job], {name: '', tookMs, width, rows: 0, hint: 'Ctrl-C stops'}),
    /^3 apps ready[^]* job {2}exited 0\n$/
  )
  const failed = listed({id: 'job', state: 'exited', exitCode: 3, availability: 'never'})
  t.match(
    readyText([...apps, ...failed], {name: '', tookMs, width, rows: 0, hint: 'Ctrl-C stops'}),
    /^2 of 3 apps ready.*\n {2}job {2}exited 3 /
  )
})

t.test('an app that is to be started again says in how many seconds', async t => {
  const restartsAt = new Date(Date.now() + 60_000).toISOString()
  const apps = listed({id: 'job', state: 'backoff', exitCode: 1, restartsAt})
  for (const rows of [0, 9]) {
    const text = readyText(apps, {name: '', tookMs, width, rows, hint: 'Ctrl-C stops'})
    t.match(text, /job {2}restarting in (?:60|[1-5]\d) s/)
  }
})

t.test('what is open at the start, those that wait for others first', async t => {
  const apps = listed(
    {id: 'db', state: 'starting'},
    {id: 'api', state: 'idle', waitsFor: ['db']},
    {id: 'worker', ...READY}
  )
  t.equal(startingText(apps, {now: 0, width, rows: 0}), '1 of 3 ready · api waits for db, db starting')
  const ended = listed(
    {id: 'job', state: 'backoff', exitCode: 0, availability: 'finished'},
    {id: 'web', state: 'exited', exitCode: 1, availability: 'never'}
  )
  t.match(
    startingText([...apps, ...ended], {now: 0, width, rows: 0}),
    /^2 of 5 ready · /,
    'an app that failed is not ready'
  )
  t.equal(startingText(apps, {now: 0, width: 20, rows: 0}), '1 of 3 ready · api …')
})

t.test('where there is room each app has a line, which becomes its state and its address', async t => {
  const api = {id: 'api', appPort: 3000}
  const others = listed({id: 'worker', ...READY}, {id: 'off', state: 'stopped', availability: 'stopped'})
  const starting = [...listed({...api, state: 'idle', waitsFor: ['db']}), ...others]
  t.equal(startingText(starting, {now: 0, width, rows: 2}), '  api     waits for db\n  worker  ready\n1 of 2 ready')
  t.match(startingText(starting, {now: 0, width, rows: 1}), /^1 of 2 ready · api waits for db$/, 'no room')
  const ready = [...listed({...api, ...READY}), ...others]
  t.equal(
    readyText(ready, {name: '', tookMs, width, rows: 2, hint: 'Ctrl-C stops'}),
    '  api     ready  http://localhost:3000\n  worker  ready\n2 apps ready in 1.2 s · Ctrl-C stops\n'
  )
  const [line = ''] = startingText(ready, {now: 0, width: 20, rows: 2}).split('\n')
  t.equal(line, '  api     ready', 'no room for an address')
  const failed = [...ready, ...listed({id: 'job', state: 'exited', exitCode: 1, availability: 'never'})]
  t.equal(
    startingText(failed, {now: 0, width, rows: 3}),
    '  ✕ job     exited 1\n    api     ready     http://localhost:3000\n    worker  ready\n2 of 3 ready · 1 down',
    'trouble first, as in ps'
  )
})

t.test('the manual shows these lines', async t => {
  const apps = listed(
    {id: 'db', appPort: 5432, ...READY},
    {id: 'orders', state: 'starting'},
    {id: 'gateway', state: 'idle', waitsFor: ['orders']}
  )
  t.equal(`${startingText(apps, {now: 0, width, rows: 12})}\n`, blocksOf('docs/terminal.md')[0]?.text)
})

t.test('what is waited for at the end', async t => {
  const apps = listed(
    {id: 'db', state: 'stopping', pid: 41},
    {id: 'api', state: 'running', pid: 42},
    {id: 'job', state: 'exited'}
  )
  t.equal(waitingText(apps, width), 'waiting for db (pid 41) · Ctrl-C again kills')
  t.equal(waitingText(apps.slice(1), width), 'waiting for api (pid 42) · Ctrl-C again kills', 'not asked yet')
  t.equal(waitingText(apps.slice(2), width), '')
  const many = listed(...Array.from({length: 30}, (_, i) => ({id: `app-${i}`, state: 'stopping' as const, pid: i + 1})))
  t.match(waitingText(many, width), /^waiting for app-0 \(pid 1\), .*… · Ctrl-C again kills$/)
  for (const columns of [width, 40, 20, 5]) t.ok(waitingText(many, columns).length <= columns)
})

t.test('the last line', async t => {
  const apps = listed({id: 'db', exitCode: 137, exit: 'was ended by SIGKILL', state: 'exited'}, {id: 'api'})
  t.equal(endText(apps, {tookMs, wasAsked: true, width}), '2 apps stopped in 1.2 s · killed: db\n')
  t.equal(endText(apps, {tookMs, wasAsked: false, width}), '2 apps ended after 1.2 s · db ended by SIGKILL\n')
  const leftOut = listed({id: 'mail', state: 'stopped', availability: 'stopped'})
  t.equal(endText([...apps.slice(1), ...leftOut], {tookMs, wasAsked: true, width}), '1 app stopped in 1.2 s\n')
})

t.test('pairs stand in as many columns as fit', async t => {
  const cells = ['a', 'b', 'c'].map((name, i) => [name, `http://localhost:${3000 + i}`] as const)
  t.equal(grid(cells, 60), '  a  http://localhost:3000  c  http://localhost:3002\n  b  http://localhost:3001\n')
  t.equal(grid(cells.slice(0, 1), 10), '  a  http…\n')
  t.equal(grid([], 80), '')
  const uneven = [
    ['a', '1'],
    ['b', '2'],
    ['recommendations', '3']
  ] as const
  t.equal(grid(uneven, 30), '  a  1  recommendations  3\n  b  2\n', 'a long name widens its own column only')
})

t.test('an answer names ids, numbers, or how an id begins', async t => {
  const ids = ['api', 'worker', 'web']
  t.same(idsIn('api, 2 we', ids), {known: ['api', 'worker', 'web'], unknown: []})
  t.same(idsIn('w 9 api api', ids), {known: ['api'], unknown: ['w', '9']})
  t.same(idsIn('', ids), {known: [], unknown: []})
})

t.test('what is typed is shown and can be mended; ends of lines in pasted text do nothing', async t => {
  const answers: string[] = []
  const prompt = new Prompt('which?', answer => answers.push(answer))
  prompt.insert('apx')
  prompt.insert('\x7f')
  prompt.insert('i\nworker')
  prompt.insert('\x1b[A')
  t.equal(prompt.shown(80), 'which? apiworker')
  t.equal(prompt.shown(10), '…apiworker')
  prompt.insert('\x15api ')
  prompt.answer()
  t.same(answers, ['api'])
})
