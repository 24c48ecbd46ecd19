import {createServer} from 'node:net'
import t from 'tap'
import type {Death} from '../../src/model/api.generated.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const SERVER = `require('node:net').createServer().listen(Number(process.argv[3]), '127.0.0.1', () => console.log('listens'))
`

/** The run goes on with it when the other one has ended. */
const IDLE = {appID: 'idle', appDirPath: '.', command: ['sleep', '300']}

const templateOf = (...apps: readonly object[]): string => JSON.stringify({version: 1, apps: [...apps, IDLE]}, null, 2)

const deathIn = async (rig: Rig, folder: string): Promise<Death> =>
  (JSON.parse((await rig.run(['why', 'db', '-o', 'json'], {folder})).stdout) as {readonly death: Death}).death

t.test('a server whose port is in a script: terminal, why and page name it, and where to write $APP_PORT', async t => {
  const port = await freePort()
  const rig = await openRig(t)
  const db = {appID: 'db', appDirPath: './db', command: ['sh', './start.sh']}
  const script = `# the database\nexec node server.js -p ${port}\n`
  await writeWorktrees(rig, {'dapr.yaml': templateOf(db), 'db/server.js': SERVER, 'db/start.sh': script})
  // the same number as an argument, without a script, in a template of its own
  const inTemplate = {version: 1, apps: [{...db, command: ['node', 'server.js', '-p', port.toString()]}]}
  await rig.write({'other/dapr.yaml': JSON.stringify(inTemplate, null, 2), 'other/db/server.js': SERVER})
  const main = rig.pillion(['up'], {folder: 'main'})
  await main.waitForLine('listens')
  const whose = `localhost:${port} is "db" of the run main in ${rig.folder}/main (pid ${main.pid})`
  for (const [folder, place] of [
    ['pr', 'db/start.sh:2'],
    ['other', /dapr\.yaml:\d+/.source]
  ] as const) {
    const run = rig.pillion(['up'], {folder})
    const said = await run.waitForLine('"db" could not listen', {stream: 'stderr'})
    t.ok(said.includes(whose), said)
    t.match(
      said,
      new RegExp(
        `write ${port} as port or appPort of "db" into the template, and \\$APP_PORT in place of ${port} in ${place}, .* pillion down --name main`
      )
    )
    // the other one has ended with its first app
    if (folder === 'other') continue
    const {hint, text} = await deathIn(rig, folder)
    t.match(text, /^"db" exited with code 1 after/)
    t.ok(said.endsWith(hint), hint)
    t.match((await rig.run(['why', 'db'], {folder})).stdout, hint)
    await run.end('SIGINT')
  }
  // with the number in the template, and $APP_PORT in the script, each has its own
  await rig.write({
    'pr/dapr.yaml': templateOf({...db, appPort: port}),
    'pr/db/start.sh': 'exec node server.js -p $APP_PORT\n'
  })
  const moved = rig.pillion(['up'], {folder: 'pr'})
  await moved.waitForLine('listens')
  await moved.end('SIGINT')
  // half of it: the number is in the template, and still in the script
  await rig.write({'pr/dapr.yaml': templateOf({...db, appPort: port}), 'pr/db/start.sh': script})
  const half = rig.pillion(['up'], {folder: 'pr'})
  t.match(
    await half.waitForLine('"db" could not listen', {stream: 'stderr'}),
    new RegExp(`: write \\$APP_PORT in place of ${port} in db/start\\.sh:2, so that each copy has its own, or end`)
  )
  for (const run of [half, main]) run.signal('SIGINT')
  for (const run of [half, main]) await run.exited
})

t.test('what no run of ours has is not said to be theirs, nor is another failure', async t => {
  const port = await freePort()
  const rig = await openRig(t)
  const foreign = createServer().listen(port, '127.0.0.1')
  t.teardown(() => foreign.close())
  await writeWorktrees(rig, {
    'dapr.yaml': templateOf(
      {appID: 'db', appDirPath: '.', command: ['node', 'server.js', '-p', port.toString()]},
      {appID: 'web', appDirPath: '.', command: ['sh', '-c', `echo no money for port ${port} >&2; exit 3`]}
    ),
    'server.js': SERVER
  })
  const run = rig.pillion(['up'], {folder: 'main'})
  await run.waitForLine(/"db" exited with code 1/, {stream: 'stderr'})
  await run.waitForLine(/"web" exited with code 3/, {stream: 'stderr'})
  t.equal((await deathIn(rig, 'main')).hint, '')
  t.notMatch(run.stderr.text, 'could not listen')
  await run.end('SIGINT')
})
