import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {idle} from '../e2e/edited.ts'

/** The ids that `list` shows. */
async function listed(rig: Rig): Promise<readonly string[]> {
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {appId: string}[]
  return rows.map(({appId}) => appId)
}

const done = (text: string): object => ({code: 0, stdout: `✅  ${text}\n`, stderr: ''})

const apps = (a: object): Parameters<Rig['template']>[0] => [{appID: 'a', ...a}, {appID: 'b'}]

t.test('an edit of the template changes what a stopped app is started by, and starts it not', async t => {
  const rig = await openRig(t)
  await rig.template(apps({}))
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const [, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 2})
  await rig.run(['stop', 'a'])
  for (const edit of [{env: {WORD: 'one'}}, {env: {WORD: 'two'}, logLevel: 'debug'}]) {
    await rig.template([...apps(edit), {appID: `told-${edit.env.WORD}`}])
    await rig.driven(`told-${edit.env.WORD}`) // the edit has been followed
    t.notOk((await listed(rig)).includes('a'))
    const starting = rig.run(['start', 'a'])
    const {env} = await rig.driven('a')
    t.same(await starting, done('app started successfully: a'))
    t.equal(env['WORD'], edit.env.WORD)
    await rig.run(['stop', 'a'])
  }
  await rig.template([{appID: 'b'}, {appID: 'told-last'}])
  await rig.driven('told-last')
  t.match(await rig.run(['start', 'a']), {code: 1, stderr: /couldn't find app id a\b/}, 'it has left the template')
  await b?.exit(0)
})

t.test('one instance is stopped and started alone; an id means all of them', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, replicas: 2}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const all = await Promise.all([rig.driven('a'), rig.driven('a'), rig.driven('b')])
  for (const app of all.slice(0, 2)) {
    await app.answer({body: app.env['DAPR_HTTP_PORT'] ?? ''})
    await app.listen()
  }
  await run.waitForLine('Writing log files', {nth: 3})
  const b = all[2]
  t.same(await rig.run(['stop', 'a.2']), done('app stopped successfully: a.2'))
  const first = await b.fetch('/v1.0/invoke/a/method/x')
  t.equal(first.status, 200, 'the other one goes on')
  const starting = rig.run(['start', 'a'])
  const again = await rig.driven('a')
  t.same(await starting, done('app started successfully: a'))
  t.not(again.env['DAPR_HTTP_PORT'], first.body, 'its own ports')
  await rig.run(['stop', 'a'])
  t.match(await b.fetch('/v1.0/invoke/a/method/x'), {status: 500, body: /stopped by/})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('restart of one instance that was stopped leaves the others stopped', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', replicas: 2}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('a'), rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 3})
  await rig.run(['stop', 'a'])
  t.same(await rig.run(['restart', 'a.2']), done('app restarted successfully: a.2'))
  t.match((await rig.run(['ps'])).stdout, /^a +stopped .*\na\.2 +ready /m)
})

t.test('start of an app that an edit opens again while it waits goes on with the new one', async t => {
  const rig = await openRig(t)
  const db = {appID: 'db', ready: {log: 'up'}}
  const shop = {appID: 'shop', dependsOn: {db: 'ready'}}
  await rig.template([db, shop])
  rig.pillion(['run', '-f', '.', '--watch'])
  const life = await rig.driven('db')
  await rig.until(['ps'], 'waits for db')
  await rig.run(['stop', 'shop'])
  const starting = rig.run(['start', 'shop'])
  await rig.until(['ps'], 'waits for db')
  await rig.template([db, {...shop, logLevel: 'debug'}, {appID: 'told'}])
  await rig.driven('told') // the edit has been followed
  await life.print('up\n')
  await rig.driven('shop')
  t.same(await starting, done('app started successfully: shop'))
})

t.test('restart while an edit ends the process for the next one waits for that', async t => {
  const rig = await openRig(t)
  const keys = {stop: {timeout: '60s'}}
  await rig.template(apps({...keys, env: {A: '1'}}))
  rig.pillion(['run', '-f', '.', '--watch'])
  const [first] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await first.catchSignal('SIGTERM')
  await rig.until(['ps'], 'ready')
  await rig.template(apps({...keys, env: {A: '2'}}))
  await first.nextSignal()
  const restarted = rig.run(['restart', 'a'])
  // it has asked by then
  for (let times = 0; times < 2; times++) await rig.run(['ps'])
  await first.exit(0)
  await rig.driven('a')
  t.same(await restarted, done('app restarted successfully: a'))
})

t.test('versions of a service are stopped and started together, and the first one is main', async t => {
  const rig = await openRig(t)
  const versions = ['1.0.0', '2.0.0'].map(version => ({appID: 'hello', version, appDirPath: version, autoPort: true}))
  await rig.template([...versions, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all(['hello', 'hello', 'b'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 3})
  await rig.run(['stop', 'hello'])
  const starting = rig.run(['start', 'hello'])
  await Promise.all([rig.driven('hello'), rig.driven('hello')])
  t.same(await starting, done('app started successfully: hello'))
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {version: string; main: boolean}[]
  t.same(
    rows.slice(0, 2).map(({version, main}) => [version, main]),
    [
      ['1.0.0', true],
      ['2.0.0', false]
    ]
  )
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('apps that do not run follow edits, too: they start by them, after what they need by then', async t => {
  const rig = await openRig(t)
  const tool = {appID: 'tool', profiles: ['tools'], envFile: '.env'}
  const mine = {appID: 'mine', autoPort: true}
  await rig.write({'tool/.env': 'WORD=one\n'})
  await rig.template([{appID: 'a'}, {appID: 'b'}, {appID: 'c'}, tool, mine])
  const run = rig.pillion(['up', '--watch', '--except', 'mine'])
  await Promise.all(['a', 'b', 'c'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 4})
  await idle(rig)
  const shown = async (id: string): Promise<string> => (await rig.run(['ps', id])).stdout

  for (const id of ['a', 'b']) await rig.run(['stop', id])
  await rig.template([{appID: 'a'}, {appID: 'b', dependsOn: ['a']}, {appID: 'c'}, tool, {...mine, logLevel: 'debug'}])
  await run.waitForLine('Started Dapr with app id "mine"', {nth: 2})
  await rig.write({'tool/.env': 'WORD=two\n'})
  await idle(rig)
  t.match(await shown('mine'), /^mine +stopped /m, 'the user starts it after an edit, too')
  const toolStarts = rig.run(['start', 'tool'])
  t.equal((await rig.driven('tool')).env['WORD'], 'two', 'of its .env')
  t.match(await toolStarts, {code: 0})
  const needing = {appID: 'b', dependsOn: ['a']}
  await rig.template([{appID: 'a'}, needing, {appID: 'c'}, mine])
  await idle(rig)
  await rig.template([{appID: 'a'}, needing, {appID: 'c'}, tool, mine])
  await idle(rig)
  t.match(await shown('tool'), /^tool +stopped /m, 'it comes back as one that a profile leaves out')

  const starting = rig.run(['start', 'b'])
  await rig.driven('a')
  const again = await rig.driven('b')
  t.match(await starting, {code: 0}, 'it was stopped when it began to depend on the other')

  await rig.run(['stop', 'a'])
  await again.exit(3)
  await run.waitForLine(/"b" .*3/, {stream: 'stderr'})
  const restarting = rig.run(['restart', 'b'])
  await Promise.all([rig.driven('a'), rig.driven('b')])
  t.match(await restarting, {code: 0}, 'it had crashed')
})

const waiting = (word: string): Parameters<Rig['template']>[0] => [
  {appID: 'a', autoPort: true},
  {appID: 'b', dependsOn: ['a'], replicas: 2, env: {WORD: word}}
]

t.test('instances that wait for another app are all started as they were edited meanwhile', async t => {
  const rig = await openRig(t)
  await rig.template(waiting('one'))
  const run = rig.pillion(['up', '--watch'])
  const a = await rig.driven('a')
  await run.waitForLine('Writing log files')
  await rig.template([...waiting('two'), {appID: 'told'}])
  await rig.driven('told')
  await a.listen()
  const both = await Promise.all([rig.driven('b'), rig.driven('b')])
  t.same(
    both.map(({env}) => env['WORD']),
    ['two', 'two']
  )
})

t.test('an instance that an edit adds to a stopped app is stopped, too, and starts with it', async t => {
  const rig = await openRig(t)
  const edited = async (replicas: number): Promise<void> => rig.template([{appID: 'a', replicas}, {appID: 'b'}])
  await edited(1)
  const run = rig.pillion(['up', '--watch'])
  await Promise.all(['a', 'b'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 2})
  await rig.run(['stop', 'a'])
  for (const replicas of [2, 3]) {
    await edited(replicas)
    await idle(rig)
    const {stdout} = await rig.run(['ps', 'a'])
    t.equal(stdout.match(/ stopped /g)?.length, replicas, stdout)
  }
  const starting = rig.run(['start', 'a'])
  await Promise.all(['a', 'a', 'a'].map(async id => rig.driven(id)))
  t.match(await starting, {code: 0})
})

t.test('an app in the debugger keeps no instance from an edit, and is taken back after what it needs', async t => {
  const rig = await openRig(t)
  const edited = async (a: object): Promise<void> => rig.template([{appID: 'a', autoPort: true, ...a}, {appID: 'b'}])
  await edited({})
  const run = rig.pillion(['up', '--watch'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await a.listen()
  await run.waitForLine('Writing log files', {nth: 2})
  await rig.run(['debug', 'a'])
  await edited({replicas: 2})
  await (await rig.driven('a')).listen()
  await idle(rig)
  await edited({replicas: 2, env: {WORD: 'two'}})
  const second = await rig.driven('a')
  t.equal(second.env['WORD'], 'two')
  await second.listen()
  await rig.run(['stop', 'b'])
  await edited({dependsOn: {b: 'started'}})
  await idle(rig)
  const starting = rig.run(['start', 'a'])
  await Promise.all([rig.driven('b'), rig.driven('a')])
  t.match(await starting, {code: 0})
})

t.test('an app that a profile and --except leave out starts when it is started', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'tool', autoPort: true, profiles: ['tools']}])
  const run = rig.pillion(['up', '--except', 'tool'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  const starting = rig.run(['start', 'tool'])
  await rig.driven('tool')
  t.match(await starting, {code: 0})
})

t.test('a one-shot app that is done is not done again by a save, also if it was watched before an edit', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'job', watch: true}, {appID: 'b'}])
  rig.pillion(['up', '--watch'])
  const [job] = await Promise.all([rig.driven('job'), rig.driven('b')])
  await job.exit(0)
  await idle(rig)
  await rig.template([{appID: 'job'}, {appID: 'b'}])
  await idle(rig)
  await rig.write({'job/main.py': 'x'})
  await rig.write({'b/main.py': 'x'})
  await rig.driven('b')
  await idle(rig)
  t.match((await rig.run(['ps', 'job'])).stdout, /^job .* 0$/m, 'no restart')
})
