import t, {type Test} from 'tap'
import type {WaitAnswer} from '../../src/api/wait/wait.ts'
import type {Driven} from '../rig/command.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'
import {environmentOf, tracesCarrying} from '../rig/traces.ts'

/** The processes of the apps that live: `id pid`, sorted. */
async function living(rig: Rig): Promise<readonly string[]> {
  const traces = await tracesCarrying(rig.marker)
  const named = await Promise.all(
    traces.map(async ({pid}) => {
      const id = (await environmentOf(pid)).find(each => each.startsWith('APP_ID='))
      return id === undefined ? [] : [`${id.slice('APP_ID='.length)} ${pid.toString()}`]
    })
  )
  return named.flat().toSorted()
}

async function idle(rig: Rig): Promise<WaitAnswer> {
  const body = JSON.stringify({for: ['idle:150ms'], timeout: '30s'})
  return (await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body})).json as WaitAnswer
}

/** A run whose template is edited again and again. Each edit changes `mark`, so that the test knows when it was read. */
class Edited {
  readonly run: ReturnType<Rig['pillion']>
  readonly #t: Test
  readonly #rig: Rig
  readonly #lives = new Map<string, Driven>()
  #edits = 0

  constructor(t: Test, rig: Rig) {
    this.#t = t
    this.#rig = rig
    this.run = rig.pillion(['run', '-f', '.', '--watch'])
  }

  /** Saves the template. Exactly these apps start, these have gone, and all others keep their processes. */
  async edit(
    what: string,
    apps: readonly TemplateApp[],
    {starts = [], gone = [], common}: {starts?: readonly string[]; gone?: readonly string[]; common?: object} = {}
  ): Promise<void> {
    await template(this.#rig, ++this.#edits, apps, common)
    await this.settled(what, {starts: [...starts, 'mark'], gone})
  }

  async settled(
    what: string,
    {starts = [], gone = []}: {starts?: readonly string[]; gone?: readonly string[]}
  ): Promise<void> {
    for (const id of gone) this.#lives.delete(id)
    await Promise.all(starts.map(async id => this.#lives.set(id, await this.#rig.driven(id))))
    this.#t.match(await idle(this.#rig), {outcome: 'met'}, what)
    const expected = [...this.#lives].map(([id, {pid}]) => `${id} ${pid.toString()}`).toSorted()
    this.#t.same(await living(this.#rig), expected, what)
  }

  /** The variable of the process that lives. */
  word(id: string): string | undefined {
    return this.#lives.get(id)?.env['WORD']
  }

  life(id: string): Driven | undefined {
    return this.#lives.get(id)
  }
}

const template = async (rig: Rig, edit: number, apps: readonly TemplateApp[], common?: object): Promise<void> =>
  rig.template([...apps, {appID: 'mark', env: {EDIT: edit.toString()}}], {...common})

/** A run of these apps, once all of them have started. */
async function edited(t: Test, rig: Rig, apps: readonly TemplateApp[]): Promise<Edited> {
  await template(rig, 0, apps)
  const run = new Edited(t, rig)
  await run.run.waitForLine('Writing log files', {nth: apps.length + 1})
  await run.settled('the start', {starts: [...apps.map(({appID}) => appID), 'mark']})
  return run
}

const app = (appID: string, word: string, more: object = {}): TemplateApp => ({appID, env: {WORD: word}, ...more})

t.test('each of many edits changes what it says, and nothing else', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1'), app('c', '1')])
  await run.edit('a first edit', [app('a', '2'), app('b', '1'), app('c', '1')], {starts: ['a']})
  await run.edit('of another app', [app('a', '2'), app('b', '1'), app('c', '2')], {starts: ['c']})
  t.same([run.word('a'), run.word('c')], ['2', '2'])
  await run.edit('an app leaves', [app('a', '2'), app('c', '2')], {gone: ['b']})
  await run.edit('order and notes', [app('c', '2'), app('a', '2', {_note: 'a'})])
  await run.edit('an app comes back', [app('b', '3'), app('c', '2'), app('a', '2')], {starts: ['b']})
  await run.edit('its sidecar changes', [app('b', '3', {logLevel: 'debug'}), app('c', '2'), app('a', '2')], {
    starts: ['b']
  })
  await run.edit('all change', [app('b', '4'), app('c', '4', {logLevel: 'debug'}), app('a', '4')], {
    starts: ['a', 'b', 'c']
  })
  t.same([run.word('a'), run.word('b'), run.word('c')], ['4', '4', '4'])
  await run.edit('back again', [app('a', '2'), app('b', '3'), app('c', '2')], {starts: ['a', 'b', 'c']})
  await run.edit('two leave', [app('b', '3')], {gone: ['a', 'c']})
  await run.edit('one changes', [app('b', '5')], {starts: ['b']})
  t.equal(run.word('b'), '5')
})

t.test('a stopped app stays stopped, whatever is edited or saved, and starts as it was edited last', async t => {
  const rig = await openRig(t)
  await rig.write({'shared.env': 'X=1'})
  const more = {envFile: '../shared.env'}
  const run = await edited(t, rig, [app('a', '1', more), app('b', '1')])
  await rig.run(['stop', 'a'])
  await run.settled('a is stopped', {gone: ['a']})
  await run.edit('a comment', [app('a', '1', {...more, _note: ''}), app('b', '1')])
  await run.edit('its environment', [app('a', '2', more), app('b', '1')])
  await rig.write({'a/a.js': 'saved', 'shared.env': 'X=1\n# a comment'})
  await run.edit('its sidecar', [app('a', '3', {...more, logLevel: 'debug'}), app('b', '1')])
  await run.edit('its port', [app('a', '3', {...more, appPort: await freePort()}), app('b', '2')], {starts: ['b']})
  await run.edit('a comment again', [app('b', '2'), app('a', '3', more)])
  const starting = rig.run(['start', 'a'])
  await run.settled('a is started', {starts: ['a']})
  t.match(await starting, {code: 0})
  t.equal(run.word('a'), '3')
  await run.edit('it is followed again', [app('a', '4', more), app('b', '2')], {starts: ['a']})
  await rig.write({'shared.env': 'X=2'})
  await run.settled('so is its file', {starts: ['a']})
  t.equal(run.life('a')?.env['X'], '2')
  await rig.run(['stop', 'a'])
  await run.settled('a is stopped', {gone: ['a']})
  await run.edit('it leaves', [app('b', '2')])
  await run.edit('another one of its name', [app('a', '5'), app('b', '2')], {starts: ['a']})
  t.equal(run.word('a'), '5')
})

t.test('an edit that takes out every app for a moment does not end the run', async t => {
  const rig = await openRig(t)
  const run = async (apps: readonly TemplateApp[], common: object = {}): Promise<readonly Driven[]> => {
    await rig.template(apps, {...common})
    return Promise.all(apps.map(async ({appID}) => rig.driven(appID)))
  }
  await rig.template([{appID: 'a'}])
  const program = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await program.waitForLine('Writing log files')
  await idle(rig)
  const port = await freePort()
  await run([{appID: 'a'}], {logLevel: 'debug'})
  await run([{appID: 'a', appPort: port}])
  await run([{appID: 'z', appPort: port, appDirPath: 'a'}])
  const [, last] = await run([{appID: 'a'}, {appID: 'z', appPort: port}])
  t.equal(last?.env['APP_PORT'], port.toString())
  const [first] = await run([
    {appID: 'z', appDirPath: 'a'},
    {appID: 'a', appPort: port, appDirPath: 'z'}
  ])
  t.equal(first?.env['APP_PORT'], undefined)
  t.same((await living(rig)).length, 2)
  t.match(await rig.run(['stop', 'z']), {code: 0})
  await rig.template([
    {appID: 'z', appDirPath: 'a'},
    {appID: 'a', logLevel: 'debug', watch: false}
  ])
  await (await rig.driven('a')).exit(0)
  t.match(await program.exited, {code: 0}, 'none runs any more')
})

t.test('the last app that has not finished is edited', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', watch: false}, {appID: 'b'}])
  const program = rig.pillion(['run', '-f', '.', '--watch'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await program.waitForLine('Writing log files', {nth: 2})
  await a.exit(0)
  await rig.template([
    {appID: 'a', watch: false},
    {appID: 'b', logLevel: 'debug'}
  ])
  const b = await rig.driven('b')
  await idle(rig)
  t.same(await living(rig), [`b ${b.pid.toString()}`])
  await rig.template([
    {appID: 'a', watch: false},
    {appID: 'b', watch: false, env: {WORD: '2'}}
  ])
  await (await rig.driven('b')).exit(0)
  t.match(await program.exited, {code: 0}, 'none runs any more')
})

t.test('a run waits for the next save while an app of its template cannot be opened', async t => {
  const rig = await openRig(t)
  const [taken, free] = [await freePort(), await freePort()]
  const holder = rig.start([
    'node',
    '-e',
    `require('net').createServer().listen(${taken}, '127.0.0.1', () => console.log('listens'))`
  ])
  await holder.waitForLine('listens')
  await rig.template([{appID: 'a'}])
  const program = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await program.waitForLine('Writing log files')
  await rig.template([{appID: 'a', daprHTTPPort: taken}])
  await program.waitForLine(`Port ${taken.toString()} is not available`, {stream: 'stderr'})
  await idle(rig)
  await rig.template([{appID: 'a', daprHTTPPort: free}])
  const {env} = await rig.driven('a')
  t.equal(env['DAPR_HTTP_PORT'], free.toString())
})

t.test('after a save, stop and start and edits start an app once', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1')])
  await rig.write({'a/a.js': '1'})
  await run.settled('saved', {starts: ['a']})
  for (const word of ['2', '3']) {
    await rig.run(['stop', 'a'])
    await run.settled('stopped', {gone: ['a']})
    const starting = rig.run(['start', 'a'])
    await run.settled('started', {starts: ['a']})
    await starting
    await run.edit('edited', [app('a', word), app('b', '1')], {starts: ['a']})
    await run.edit('reopened', [app('a', word, {logLevel: 'debug'}), app('b', '1')], {starts: ['a']})
    await rig.write({'a/a.js': word})
    await run.settled('saved again', {starts: ['a']})
  }
})

t.test('an edit of watch counts at once, and restarts nothing', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1', {watch: false}), app('b', '1')])
  await rig.write({'a/a.js': '1'})
  await run.edit('watched', [app('a', '1', {watch: ['*.js']}), app('b', '1')])
  await rig.write({'a/a.js': '2'})
  await run.settled('saved', {starts: ['a']})
  await run.edit('otherwise', [app('a', '1', {watch: ['*.txt']}), app('b', '1')])
  await rig.write({'a/a.js': '3'})
  await rig.write({'a/a.txt': '3'})
  await run.settled('saved', {starts: ['a']})
  await run.edit('no more', [app('a', '1', {watch: false}), app('b', '1', {watch: ['*.js']})])
  await rig.write({'a/a.txt': '4', 'b/b.txt': '4'})
  await rig.write({'b/b.js': '4'})
  await run.settled('saved', {starts: ['b']})
  await run.edit('again', [app('a', '2', {watch: true}), app('b', '1')], {starts: ['a']})
  await rig.write({'a/new.txt': '5', 'b/b.txt': '5'})
  await run.settled('saved', {starts: ['a', 'b']})
})

t.test('an edit that leaves an app without ever being ready is repaired by the next one', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1')])
  await template(rig, 1, [app('a', '2', {ready: {log: 'never printed'}}), app('b', '1')])
  await Promise.all([rig.driven('a'), rig.driven('mark')])
  await template(rig, 2, [app('a', '3', {ready: {log: 'never printed'}}), app('b', '2')])
  await Promise.all([rig.driven('a'), rig.driven('mark')])
  await run.edit('a repair', [app('a', '4'), app('b', '2')], {starts: ['a', 'b']})
  t.same([run.word('a'), run.word('b')], ['4', '2'])
})

t.test('an app is started after those that it depends on from the same edit on', async t => {
  const rig = await openRig(t)
  const api = (more: object): TemplateApp => app('api', '1', more)
  const run = await edited(t, rig, [api({})])
  await template(rig, 1, [api({dependsOn: ['db']}), app('db', '1', {autoPort: true})])
  const [db, mark] = await Promise.all([rig.driven('db'), rig.driven('mark')])
  t.ok(mark)
  t.notOk(
    (await living(rig)).some(each => each.startsWith('api ')),
    'it waits'
  )
  await db.listen()
  const again = await rig.driven('api')
  t.ok(again.pid > db.pid)
  t.ok(run)
})
