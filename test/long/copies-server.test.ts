import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers whether something listens at the number behind -p. */
const PING = `const socket = require('node:net').connect(Number(process.argv[3]), '127.0.0.1')
socket.on('connect', () => process.exit(0)).on('error', () => process.exit(1))
`

t.test('a copy whose server cannot start does not use that of another copy, whichever starts first', async t => {
  const port = await freePort()
  const rig = await openRig(t)
  const apps = [
    {
      appID: 'db',
      appDirPath: '.',
      command: ['sh', './db.sh'],
      env: {PILLION_REDIS: 'memory'},
      ready: {command: ['node', 'ping.js', '-p', port.toString()]}
    },
    {appID: 'migrate', appDirPath: '.', dependsOn: ['db'], command: ['sh', '-c', 'echo migrated']},
    {appID: 'shop', appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  ]
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps}),
    'ping.js': PING,
    'db.sh': `exec ${[...rig.program, 'redis', port.toString()].map(word => `'${word}'`).join(' ')}\n`,
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})
  })
  for (const [first, second] of [
    ['main', 'pr'],
    ['pr', 'main']
  ] as const) {
    const one = rig.pillion(['up', '--only', 'db,migrate'], {folder: first})
    await one.waitForLine('migrated')
    const other = rig.pillion(['up'], {folder: second})
    const refusal = new RegExp(
      `localhost:${port} is "db" of the run ${first} in .*/${first} \\(pid ${one.pid}\\), whose data this run must not use: .* appPort \\(${port}\\) .*pillion down --name ${first}`
    )
    t.match(await other.waitForLine('is not ready', {stream: 'stderr'}), refusal)
    t.match(await other.waitForLine('the component store', {stream: 'stderr'}), refusal)
    t.notMatch(other.stdout.text, 'migrated')
    for (const each of [other, one]) each.signal('SIGINT')
    for (const each of [other, one]) await each.exited
    t.notMatch(other.stdout.text, 'migrated')
  }
})
