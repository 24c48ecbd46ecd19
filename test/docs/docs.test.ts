import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {commands, inShell, others, starts} from './shown.ts'

const VERSIONS = ['1.0.0', '2.0.0'] as const
const IDS = ['shop', 'stock', 'prices', 'target', 'myapp'] as const

/** A run that has all that the pages speak of. */
async function startRun(rig: Rig): Promise<Program> {
  const run = rig.pillion(['run', '-f', '.'])
  for (const id of IDS) {
    const app = await rig.driven(id)
    await app.listen()
    await app.answer({body: '{}'})
    await app.print('a line\n')
  }
  for (let i = 0; i < VERSIONS.length; i++) await (await rig.driven('hello')).listen()
  await run.waitForLine('Daeploy services at')
  await run.waitForLine('a line', {nth: IDS.length})
  return run
}

/** `app`: what each app that the pages speak of has besides. */
async function prepared(rig: Rig, app: object = {}): Promise<void> {
  await rig.write({'resources/pubsub.yaml': component('pubsub', 'pubsub.in-memory')})
  await rig.template(
    [
      ...IDS.map(appID => ({appID, autoPort: true, containerImage: 'example/app:1', ...app})),
      {appID: 'debugger', profiles: ['debug']},
      {appID: 'mail', profiles: ['mail']},
      {appID: 'news', profiles: ['news']},
      ...VERSIONS.map(version => ({
        appID: 'hello',
        version,
        appDirPath: version,
        autoPort: true,
        containerImage: 'example/app:1',
        ...app
      }))
    ],
    {resourcesPath: './resources'}
  )
  await rig.write({Procfile: 'web: node app.js\n', 'docker-compose.yml': 'services: {web: {image: nginx}}\n'})
  await rig.write({'mine.yaml': 'apps: [{appID: shop, env: {LOG_LEVEL: debug}}]'})
  await copyExample(rig, 'orders', 'examples/orders')
}

// it starts each command that the pages show
t.setTimeout(400_000)

t.test('the pages show commands, and those that were asked about are among them', async t => {
  for (const command of [
    'pillion run -f .',
    'pillion logs -f stock',
    'pillion assign hello 2.0.0',
    'pillion stop -f .'
  ])
    t.ok(commands.includes(command), command)
  t.ok(others.length > 20, others.length.toString())
})

t.test('each command that README and docs/ show works as it is written', {timeout: 300_000}, async t => {
  const rig = await openRig(t)
  await prepared(rig)
  let run = await startRun(rig)
  for (const command of others) {
    if (run.hasExited) run = await startRun(rig)
    // it asks on a terminal
    const program = inShell(rig, command === 'pillion agent init' ? `${command} --yes` : command)
    program.stdin.end()
    if (/^pillion (logs (.* )?-f|ps -w)( |$)/.test(command)) {
      await program.waitForLine(/a line|^ID/)
      await run.end()
    }
    const {code} = await program.exited
    t.equal(code, 0, `${command}: ${program.stderr.text}`)
    const [, restarted] = /^pillion restart (?:--app-id )?(\w+)/.exec(command) ?? []
    if (restarted !== undefined) await rig.driven(restarted)
    if (!/^pillion (stop|down|debug)\b/.test(command)) continue
    run.signal('SIGTERM') // what follows finds a whole run
    await run.exited
  }
})

t.test('each command that starts a run does', async t => {
  for (const command of starts) {
    const rig = await openRig(t)
    await prepared(rig, {command: ['sleep', '600']})
    await rig.write({'processes.yaml': 'apps: [{appID: web, appDirPath: ., command: [sleep, "600"]}]'})
    const program = inShell(rig, command)
    program.stdin.end(readFileSync(join(rig.folder, 'dapr.yaml')))
    await program.waitForLine(/Started Dapr with app id|starts with its first call/)
    t.match(await rig.run(['stop', '-f', command.includes('examples') ? 'examples/orders' : '.']), {code: 0}, command)
  }
})
