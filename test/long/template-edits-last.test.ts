import t from 'tap'
import type {Driven} from '../rig/command.ts'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'
import {freePort} from '../rig/free-port.ts'
import {idle, living} from '../e2e/edited.ts'

async function takenPort(rig: Rig): Promise<number> {
  const port = await freePort()
  const listening = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('listens'))`
  await rig.start(['node', '-e', listening]).waitForLine('listens')
  return port
}

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
  t.same(living(rig).length, 2)
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
  t.same(living(rig), [`b ${b.pid}`])
  await rig.template([
    {appID: 'a', watch: false},
    {appID: 'b', watch: false, env: {WORD: '2'}}
  ])
  await (await rig.driven('b')).exit(0)
  t.match(await program.exited, {code: 0}, 'none runs any more')
})

t.test('a run waits for the next save while an app of its template cannot be opened', async t => {
  const rig = await openRig(t)
  const [taken, free] = [await takenPort(rig), await freePort()]
  await rig.template([{appID: 'a'}])
  const program = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await program.waitForLine('Writing log files')
  await rig.template([{appID: 'a', daprHTTPPort: taken}])
  await program.waitForLine(`Port ${taken} is not available`, {stream: 'stderr'})
  await idle(rig)
  await rig.template([{appID: 'a', daprHTTPPort: free}])
  const {env} = await rig.driven('a')
  t.equal(env['DAPR_HTTP_PORT'], free.toString())
})

t.test('what depends on an app that an edit cannot open is not started before that can be', async t => {
  const rig = await openRig(t)
  const [taken, free] = [await takenPort(rig), await freePort()]
  const web = {appID: 'web', dependsOn: ['db']}
  await rig.template([{appID: 'db'}, web])
  const program = rig.pillion(['run', '-f', '.', '--watch'])
  await Promise.all([rig.driven('db'), rig.driven('web')])
  await program.waitForLine('Writing log files', {nth: 2})
  const edited = {...web, logLevel: 'debug'}
  await rig.template([{appID: 'db', daprHTTPPort: taken}, edited])
  await program.waitForLine('"web" was not started: it depends on "db" becoming ready, but "db" was not started', {
    stream: 'stderr'
  })
  await rig.template([{appID: 'db', daprHTTPPort: free}, edited])
  await Promise.all([rig.driven('db'), rig.driven('web')])
})
