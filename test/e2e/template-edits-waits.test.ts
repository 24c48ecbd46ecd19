import {readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {appsOf, ask, controlSocket} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {app, edited, template} from './edited.ts'

t.test('a template whose mistake comes of the file of variables is read again once that is saved', async t => {
  const rig = await openRig(t)
  const save = async (top: string, keys: string): Promise<void> =>
    rig.write({
      'dapr.yaml': `${top}\nversion: 1\napps: [{appID: a, appDirPath: ., command: ${JSON.stringify(rig.drivenCommand)}, ${keys}}]`
    })
  await save('', '')
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  let nth = 0
  const isRefused = async (): Promise<void> =>
    void (await run.waitForLine(/the edited template has a mistake/, {nth: ++nth, stream: 'stderr'}))
  /** The save of a file in its folder may have started the app with what it had. */
  const starts = async (word: string): Promise<void> => {
    while ((await rig.driven('a')).env['WORD'] !== word);
  }
  await save('interpolate: one.env', 'env: {WORD: "${WORD:?is needed}"}')
  await isRefused()
  await rig.write({'one.env': 'WORD=one'})
  await starts('one')
  await rig.write({'two.env': 'TIME=soon'})
  await save('interpolate: two.env', 'env: {WORD: two}, stop: {timeout: "${TIME}"}')
  await isRefused()
  await rig.write({'two.env': 'TIME=2s'})
  await starts('two')
})

t.test('a variable that an edit changes is for the resources at once, and for the processes that have it', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const database = '${DATABASE}'
  await rig.write({
    'vars.env': 'DATABASE=one.db\nWORD=one\n',
    'resources/store.yaml': component('store', 'state.sqlite', {connectionString: database})
  })
  await rig.template(
    [
      {appID: 'a', daprHTTPPort: port},
      {appID: 'b', env: {WORD: '${WORD}'}}
    ],
    {resourcesPath: './resources'},
    {interpolate: 'vars.env'}
  )
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const a = await rig.driven('a')
  t.equal((await rig.driven('b')).env['WORD'], 'one')
  await run.waitForLine('Writing log files', {nth: 2})
  const place = `http://127.0.0.1:${port}/v1.0/state/store`
  const body = JSON.stringify([{key: 'k', value: 1}])
  t.equal((await fetch(place, {method: 'POST', body})).status, 204)
  t.equal((await fetch(`${place}/k`)).status, 200)
  await rig.write({'vars.env': 'DATABASE=two.db\nWORD=two\n'})
  t.equal((await rig.driven('b')).env['WORD'], 'two')
  while ((await fetch(`${place}/k`)).status !== 204) await pause(5)
  t.ok(
    (await appsOf(rig)).some(({pid}) => pid === a.pid),
    'a has its process'
  )
})

/** Two driven apps, once they take calls, and what edits both. */
async function pair(rig: Rig, stop: string) {
  const [daprHTTPPort, a, b] = [await freePort(), await freePort(), await freePort()]
  const save = async (logLevel: string): Promise<void> =>
    rig.template(
      [
        {appID: 'a', appPort: a, daprHTTPPort, stop: {timeout: stop}},
        {appID: 'b', appPort: b, stop: {timeout: stop}}
      ],
      {logLevel}
    )
  await save('info')
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const lives = await Promise.all([rig.driven('a'), rig.driven('b')])
  for (const life of lives) {
    await life.listen()
    await life.configured
  }
  return {run, lives, edit: async () => save('debug'), url: `http://127.0.0.1:${daprHTTPPort}/v1.0/invoke/b/method/`}
}

t.test('one edit opens caller and callee again: a call in hand is answered before either is stopped', async t => {
  const rig = await openRig(t)
  const {run, lives, edit, url} = await pair(rig, '20s')
  const [a, b] = lives
  await b.answer({body: 'b'})
  await a.fetch('/v1.0/invoke/b/method/before')
  const outer = fetch(url.replace('/invoke/b/', '/invoke/a/'))
  const request = await a.nextRequest()
  await edit()
  await run.waitForLine('edit of the template: changed a, b')
  const {body} = await a.fetch('/v1.0/invoke/b/method/within')
  // it is stopped once it has answered, perhaps before it can say that it has
  request.reply({body: `a and ${body}`}).catch(() => undefined)
  t.equal(await (await outer).text(), 'a and b')
  t.equal(run.stderr.text, '')
})

t.test('one edit opens caller and callee again: calls at the caller’s port wait, none is refused or cut', async t => {
  const rig = await openRig(t)
  const {lives, edit, url} = await pair(rig, '20s')
  const [a, b] = lives
  await Promise.all(lives.map(async life => life.catchSignal('SIGTERM')))
  // a connection each: one that is kept is closed after its answer
  const text = async (): Promise<string> => (await fetch(url, {headers: {connection: 'close'}})).text()
  await edit()
  await Promise.all(lives.map(async life => life.nextSignal()))
  const during = text()
  const rows = async (): Promise<readonly object[]> =>
    ((await ask(controlSocket(rig), '/api/v1/calls?q=to:b')).json as {calls: object[]}).calls
  while ((await rows()).length === 0) await pause(5)
  await a.exit(0)
  await a.closed
  const body = JSON.stringify({for: ['ready'], timeout: '50ms'})
  const {json} = await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body})
  t.match(json, {outcome: 'timeout'}, 'they will be ready')
  t.match((await rig.run(['ps'])).stdout, /^a +starting /m)
  const behind = text()
  await b.exit(0)
  const next = await Promise.all([rig.driven('a'), rig.driven('b')])
  for (const life of next) await life.listen()
  await next[1].answer({body: 'after'})
  t.same(await Promise.all([during, behind]), ['after', 'after'])
  t.equal(await text(), 'after')
})

t.test('an app that waits for another one waits on while an edit opens that again: its calls wait, too', async t => {
  const rig = await openRig(t)
  const template = async (keys: object): Promise<void> =>
    rig.template([
      {appID: 'a', autoPort: true, ...keys},
      {appID: 'b', autoPort: true, dependsOn: ['a']},
      {appID: 'c', command: []}
    ])
  await template({})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const [{http}] = await Promise.all([run.ports('c'), rig.driven('a')])
  const call = fetch(`http://127.0.0.1:${http}/v1.0/invoke/b/method/x`)
  await run.waitForLine('Writing log files', {nth: 2})
  await template({logLevel: 'debug'})
  await (await rig.driven('a')).listen()
  const b = await rig.driven('b')
  await b.answer({body: 'b'})
  await b.listen()
  t.equal(await (await call).text(), 'b')
  t.equal(run.stderr.text, '')
})

t.test('an app that waits for another one waits on when its environment is edited, and says so', async t => {
  const rig = await openRig(t)
  const template = async (word: string): Promise<void> =>
    rig.template([{appID: 'a', autoPort: true}, app('b', word, {dependsOn: ['a']})])
  await template('1')
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const a = await rig.driven('a')
  await run.waitForLine('Writing log files')
  await template('2')
  await run.waitForLine('edit of the template: changed b')
  t.match(await rig.run(['restart', 'b']), {code: 1, stderr: /"b" is not started yet: it waits for its dependencies/})
  await a.listen()
  t.equal((await rig.driven('b')).env['WORD'], '2')
})

t.test('while an app that was removed ends, its grace period counts for whoever ends a killed run', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('slow', '1', {stop: {timeout: '60s'}})])
  const slow = run.life('slow')
  await slow?.catchSignal('SIGTERM')
  await template(rig, 1, [app('a', '1')])
  t.equal(await slow?.nextSignal(), 'SIGTERM')
  t.match(JSON.parse(await readFile(join(dirname(controlSocket(rig)), 'about'), 'utf8')), {graceMs: 60_000})
  await slow?.exit(0)
  await run.settled('it has ended', {starts: ['mark'], gone: ['slow']})
})
