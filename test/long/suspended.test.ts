import {once} from 'node:events'
import {mkdirSync, readFileSync} from 'node:fs'
import net from 'node:net'
import t from 'tap'
import {register} from '../../src/control/server.ts'
import {startOf} from '../../src/platform/process-table.ts'
import {inDisguise} from '../rig/disguise.ts'
import {openRig} from '../rig/rig.ts'

t.test('a suspended run is named by list, ps and logs, with how to resume it; stop resumes and ends it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'echo open; exec sleep 300']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - shop == open')
  process.kill(run.pid, 'SIGSTOP')
  const pid = run.pid.toString()
  const told = `⚠  the run of ${rig.folder}/dapr.yaml (pid ${pid}) is suspended: resume it with fg in its terminal, or with kill -CONT ${pid}\n`
  for (const args of [['list'], ['ps'], ['logs', 'shop']]) t.match((await rig.run(args)).stderr, told, args.join(' '))
  const other = await rig.run(['stop', '--app-id', 'stock'])
  t.match(other.stderr, told, 'an app of another run')
  t.match(await rig.run(['stop', '-f', '.']), {
    code: 0,
    stdout: '✅  Dapr and app processes stopped successfully\n',
    stderr: ''
  })
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('wait finds a run that is resumed while it waits', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'echo open; exec sleep 300']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - shop == open')
  process.kill(run.pid, 'SIGSTOP')
  const wait = rig.pillion(['wait', '--for', 'ready', '--timeout', '20s'])
  await wait.waitForLine('is suspended', {stream: 'stderr'})
  process.kill(run.pid, 'SIGCONT')
  t.match(await wait.exited, {code: 0})
})

t.test('stop with the id of an app resumes its run, too', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '--app-id', 'solo', '--', 'sh', '-c', 'echo up; exec sleep 300'])
  await run.waitForLine('up')
  process.kill(run.pid, 'SIGSTOP')
  t.match((await rig.run(['list'])).stderr, 'the run of "solo" (pid ')
  t.match(await rig.run(['stop', 'solo']), {code: 0, stderr: ''})
  t.match(await run.exited, {code: 0})
})

const skip = inDisguise('this process registers a run of Linux')
t.test('of a run that does not respond nobody is told that nothing runs', {skip}, async t => {
  const rig = await openRig(t)
  mkdirSync(rig.runtimeDir, {recursive: true, mode: 0o700})
  const marker = 'e'.repeat(32)
  const identity = {
    name: '',
    copy: '',
    pid: process.pid,
    started: startOf(process.pid),
    templateFile: '/shop/dapr.yaml',
    appIds: ['shop']
  }
  const registration = await register(rig.runtimeDir, {marker, graceMs: 1000, identity}, async () => undefined)
  t.teardown(async () => registration.withdraw())
  const title = `the run of /shop/dapr.yaml (pid ${process.pid}) has not responded for 10 s`
  const [stopped, listed] = await Promise.all([rig.run(['stop', 'shop']), rig.run(['list'])])
  for (const {code, stdout, stderr} of [stopped, listed]) {
    t.match(stderr, title)
    t.notMatch(stdout + stderr, /nothing is running/i)
    t.equal(code, 1)
  }
})

const CALLERS = 2000
/** So many connections may wait at a listener of this machine, however many it asks for. */
const WAITING = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))

t.test(
  `all callers of a stuck run connect`,
  {skip: WAITING < CALLERS && `net.core.somaxconn is ${WAITING}`},
  async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'shop', command: []}])
    const run = rig.pillion(['run', '-f', '.'])
    const {http: port} = await run.ports('shop')
    await run.waitForLine('Writing log files')
    process.kill(run.pid, 'SIGSTOP')
    const callers = Array.from({length: CALLERS}, () => net.connect(port, '127.0.0.1'))
    t.teardown(() => {
      for (const caller of callers) caller.destroy()
    })
    await Promise.all(callers.map(async caller => once(caller, 'connect')))
    for (const caller of callers) caller.write('GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    process.kill(run.pid, 'SIGCONT')
    const answers = await Promise.all(callers.map(async caller => once(caller, 'data')))
    t.same(new Set(answers.map(([bytes]) => String(bytes).slice(0, 12))), new Set(['HTTP/1.1 204']))
  }
)
