import {existsSync, readdirSync, symlinkSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {watchdogOf} from './orphans.ts'

interface Killed {
  readonly rig: Rig
  readonly a: Driven
  readonly home: string
}

/** A run that was killed, and before it its watchdog: its app lives on. */
async function killed(t: Test): Promise<Killed> {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), run.waitForLine('Writing log files')])
  const watchdog = await watchdogOf(run.pid)
  run.signal('SIGSTOP') // it shall not replace it
  process.kill(watchdog.pid, 'SIGKILL')
  await run.end('SIGKILL')
  const [name = ''] = readdirSync(rig.runtimeDir)
  return {rig, a, home: join(rig.runtimeDir, name)}
}

/** Holds a file, as a server its port, and lets go of it two seconds after the signal. Nobody reads its stderr once the run was killed. */
const SLOW = [
  'sh',
  '-c',
  "exec 2>/dev/null; trap 'sleep 2; rm held; exit' TERM; [ -e held ] && echo the file is taken && exit 1; : >held; echo has the file; while :; do sleep 0.1; done"
]

const markers = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('`list` does not show a dead run, and touches nothing of it', async t => {
  const {rig, a, home} = await killed(t)
  t.match(await rig.run(['list']), {code: 0, stdout: 'No Dapr instances found.\n', stderr: ''})
  t.ok(markers(a.pid))
  t.ok(existsSync(home))
})

t.test('`stop -f` ends and names what a dead run has left, when its watchdog had its time', async t => {
  const {rig, a, home} = await killed(t)
  const {code, stderr} = await rig.run(['stop', '-f', '.'])
  t.equal(code, 0)
  t.match(stderr, `ended process ${a.pid}, left behind by a killed run: `)
  t.same(await rig.leftovers(), [])
  t.notOk(existsSync(home))
})

t.test('`run` does the same behind the back of its apps', async t => {
  const {rig, a, home} = await killed(t)
  await rig.write({
    'other/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'c', command: rig.drivenCommand, appDirPath: '.'}]})
  })
  const run = rig.pillion(['run', '-f', 'other'])
  const c = await rig.driven('c')
  await run.waitForLine('Writing log files')
  t.ok(markers(a.pid), 'it does not wait with its start')
  await run.waitForLine(`ended process ${a.pid}, left behind by a killed run`, {stream: 'stderr'})
  await a.closed
  while (existsSync(home)) await pause(20)
  t.match(await c.fetch('/v1.0/healthz/outbound'), {status: 204})
  t.match(await run.end(), {code: 0})
})

t.test('the next run of the same apps starts them once those of the killed one are gone', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: SLOW}])
  const killed = rig.pillion(['run', '-f', '.'])
  await killed.waitForLine('has the file')
  await killed.end('SIGKILL')
  const link = join(rig.home, 'link')
  symlinkSync(rig.folder, link)
  const next = rig.pillion(['run', '-f', link])
  await next.waitForLine('has the file')
  await next.end()
  t.notMatch(next.stdout.text, 'the file is taken')
})

t.test('a run in another pid namespace is left alone, alive and dead', async t => {
  const rig = await openRig(t)
  const inside = ['unshare', '-Urpf', '--mount-proc', '--kill-child']
  if ((await rig.start([...inside, 'true']).exited).code !== 0) {
    t.comment('not shown: this machine does not permit another pid namespace')
    return
  }
  await rig.write({
    'other/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'c', command: rig.drivenCommand, appDirPath: '.'}]})
  })
  await rig.template([{appID: 'a'}])
  // a first process that is not the run, as in a container
  const run = rig.start([...inside, 'sh', '-c', '"$@"; true', 'sh', ...rig.program, 'run', '-f', 'other'])
  const [c] = await Promise.all([rig.driven('c'), run.waitForLine('Writing log files')])
  const [name = ''] = readdirSync(rig.runtimeDir)
  const here = rig.pillion(['run', '-f', '.'])
  await rig.driven('a')
  await pause(1500) // a sweep would have been at it
  await rig.run(['stop', '-f', '.'])
  await here.exited
  t.match(await c.fetch('/v1.0/healthz/outbound'), {status: 204})
  run.signal('SIGKILL') // `--kill-child`: and with it the namespace
  await run.exited
  await rig.run(['stop', '-f', '.'])
  t.same(readdirSync(rig.runtimeDir), [name], 'who knows what its number means there')
})
