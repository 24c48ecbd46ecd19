import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {app, edited} from './edited.ts'

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

t.test('keys at the top: what counts from the next start on is said; interpolate counts at once', async t => {
  const rig = await openRig(t)
  const env = {WORD: '${WHO:-nobody}'}
  const save = async (more: object): Promise<void> => rig.template([{appID: 'a', env}], {}, {...more})
  const next = async (): Promise<string | undefined> => (await rig.driven('a')).env['WORD']
  await save({})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  t.equal(await next(), env.WORD)
  await run.waitForLine('Writing log files')
  const said = async (line: string, nth = 1): Promise<void> =>
    void (await run.waitForLine(`edit of the template: ${line}`, {nth}))
  for (const nth of [1, 2]) {
    await save({catchUp: 'all'})
    await said('from the next start on: catchUp', nth)
    await save({})
    await said('again as in this run: catchUp', nth)
  }
  await save({catchUp: 'all', interpolate: true})
  await said('changed a; from the next start on: catchUp')
  t.equal(await next(), 'nobody')
  await save({catchUp: 'all'})
  await said('changed a')
  t.equal(await next(), env.WORD)
  await rig.write({'vars.env': 'WHO=reader\n'})
  await save({catchUp: 'all', interpolate: 'vars.env'})
  t.equal(await next(), 'reader')
  await rig.write({'vars.env': 'WHO=writer\n'})
  t.equal(await next(), 'writer', 'a save of the file of variables is an edit')
})

t.test('a call waits while an edit opens its app again at another port', async t => {
  const rig = await openRig(t)
  const template = async (appPort: number): Promise<void> =>
    rig.template([
      {appID: 'shop', command: []},
      {appID: 'stock', appPort}
    ])
  await template(await freePort())
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const {http} = await run.ports('shop')
  const before = await rig.driven('stock')
  await Promise.all([before.listen(), before.answer({body: 'before'}), before.catchSignal('SIGTERM')])
  await run.waitForLine('Writing log files', {nth: 2})
  await template(await freePort())
  await before.nextSignal()
  const held = fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/`)
  const rows = async (): Promise<readonly object[]> =>
    ((await ask(controlSocket(rig), '/api/v1/calls?q=to:stock')).json as {calls: object[]}).calls
  while ((await rows()).length === 0) await pause(5)
  await before.exit(0)
  const after = await rig.driven('stock')
  await Promise.all([after.listen(), after.answer({body: 'after'})])
  const answer = await held
  t.same([answer.status, await answer.text()], [200, 'after'])
})
