import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {chmod} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {environmentOf} from '../rig/traces.ts'
import {BUSY_MS, kill, outlasts, survivors, watchdogOf, watchdogNow} from './orphans.ts'

const DEAF = {command: ['sh', '-c', "trap '' TERM INT HUP; echo up; while :; do sleep 0.1; done"]}

const proc = (pid: number, name: string): string => `/proc/${pid}/${name}`
const markers = (pid: number): boolean =>
  existsSync(proc(pid, 'stat')) && !/\) Z/.test(readFileSync(proc(pid, 'stat'), 'utf8'))

const homesOf = (rig: Rig): readonly string[] => readdirSync(rig.runtimeDir)

t.test('ps shows one short line of it, not its script', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('a')
  const {command} = await watchdogOf(run.pid)
  t.ok(command.length < 250, command)
  t.notMatch(command, /\n/)
})

t.test('it is small, holds nothing of ours, and stands in nobody’s way', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('a'), run.waitForLine('Writing log files')])
  const {pid} = await watchdogOf(run.pid)
  const [, pss = '0'] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(proc(pid, 'smaps_rollup'), 'utf8')) ?? []
  t.comment(`${pss} kB`)
  t.ok(Number(pss) < 2048, 'below 2 MB')
  t.equal(readlinkSync(proc(pid, 'cwd')), '/')
  t.same(
    environmentOf(pid)
      .map(each => each.split('=', 1).join(''))
      .filter(name => name !== '')
      .toSorted(),
    ['PATH', 'SCRIPT', 'SHLVL']
  )
  // what stands above was open in whoever started the test, and goes down to everybody
  const open = readdirSync(proc(pid, 'fd')).filter(fd => Number(fd) < 16)
  t.same(open, ['0', '1', '2'])
  t.match(
    open.map(fd => linkOf(pid, fd)),
    [/^socket:/, '/dev/null', '/dev/null']
  )
  const [, session] = /\) \S \d+ \d+ (\d+) /.exec(readFileSync(proc(pid, 'stat'), 'utf8')) ?? []
  t.equal(Number(session), pid, 'a session of its own')
})

t.test('no app holds the pipe on which the watchdog hears us', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const apps = await Promise.all([rig.driven('a'), rig.driven('b')])
  await watchdogOf(run.pid)
  const ofUs = new Set(
    readdirSync(proc(run.pid, 'fd'))
      .map(fd => linkOf(run.pid, fd))
      .filter(link => link.startsWith('socket:'))
  )
  const shared = apps
    .flatMap(({pid}) => readdirSync(proc(pid, 'fd')).map(fd => linkOf(pid, fd)))
    .filter(link => ofUs.has(link))
  t.same(shared, [])
})

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(proc(pid, `fd/${fd}`))
  } catch {
    return '' // closed meanwhile
  }
}

t.test('killed ourselves, we end for a reader at once, while the apps have their grace', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', ...DEAF, stop: {timeout: '5s'}}])
  const script = '{ echo $$ >pid; exec "$@"; } | tee copy; echo "tee has ended" >&2'
  const pipeline = rig.start(['bash', '-c', script, 'bash', ...rig.program, 'run', '-f', '.'])
  await pipeline.waitForLine('== APP - a == up')
  await pipeline.waitForLine('Writing log files')
  const {command: _, ...trace} = await watchdogOf(pipeline.pid)
  const pid = trace.parent
  const asked = performance.now()
  process.kill(pid, 'SIGKILL')
  await pipeline.exited
  t.match(pipeline.stderr.text, /tee has ended/)
  t.not((await rig.leftovers(0)).length, 0, 'the app is still saying goodbye')
  t.same(await survivors(rig, asked + 5500 + BUSY_MS), [])
})

t.test('killed itself, the watchdog is replaced, and the new one knows all groups', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', ...DEAF, stop: {timeout: '300ms'}},
    {appID: 'b', stop: {timeout: '300ms'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [b] = await Promise.all([rig.driven('b'), run.waitForLine('== APP - a == up')])
  const free = await b.spawn({leavesGroup: true, without: ['PILLION_RUN', 'PILLION_LIFE']})
  const first = await watchdogOf(run.pid)
  await pause(1100) // one that is killed sooner is taken for one that cannot live here
  process.kill(first.pid, 'SIGKILL')
  const second = await watchdogOf(run.pid, ({pid}) => pid !== first.pid)
  t.ok(markers(b.pid), 'nothing has happened to the apps')
  const asked = performance.now()
  run.signal('SIGKILL')
  await b.closed
  const isLeft = async (): Promise<boolean> => (await rig.leftovers(0)).some(line => line.includes('trap'))
  while ((await isLeft()) && performance.now() < asked + 800 + BUSY_MS) await pause(50)
  t.notOk(await isLeft())
  t.ok(markers(free), 'the mark was taken off on purpose')
  t.notOk(await outlasts(second, 1000 + BUSY_MS))
  t.same(homesOf(rig), [], 'the folder of the socket is gone, too')
  t.equal(run.stderr.text, '')
})

t.test('where no watchdog can live it is said once, and the run goes on', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  const told = run.waitForLine(/the watchdog of this run has exited/, {stream: 'stderr'}).then(() => true)
  // one that has lived for a second is replaced
  while (!(await Promise.race([told, pause(20, false)]))) kill(watchdogNow(run.pid)?.pid)
  t.match(await run.end(), {code: 0})
  await a.closed
  t.equal(run.stderr.text.match(/the watchdog of this run/g)?.length, 1)
  t.same(await rig.leftovers(), [])
})

t.test('it is gone when a run has ended by itself or could not start', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  const watchdog = await watchdogOf(run.pid)
  await a.exit(3)
  t.match(await run.exited, {code: 1})
  t.notOk(await outlasts(watchdog, 0), 'no later than we are')
  const port = (await freePort()).toString() // not a number of our own: other tests know that nobody is at 1
  const taken = rig.pillion(['run', '--app-id', 'b', '--dapr-http-port', port, '--dapr-grpc-port', port, '--', 'true'])
  t.match(await taken.exited, {code: 1})
  t.same(await rig.leftovers(), [])
  t.same(homesOf(rig), [])
})

t.test('with `stop: {scope: group}` what has left its group lives on, also when we are killed', async t => {
  const rig = await openRig(t)
  const stop = {scope: 'group', timeout: '300ms'}
  await rig.template([
    {appID: 'a', stop},
    {appID: 'b', stop: {timeout: '300ms'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  const [kept, ended] = await Promise.all([
    a.spawn({leavesGroup: true}),
    b.spawn({leavesGroup: true, ignoresTerm: true})
  ])
  const watchdog = await watchdogOf(run.pid)
  run.signal('SIGKILL')
  await Promise.all([a.closed, b.closed])
  t.notOk(await outlasts(watchdog, 1800 + BUSY_MS))
  t.same([markers(kept), markers(ended)], [true, false])
  await rig.run(['stop', '-f', '.'])
  t.ok(markers(kept), 'no sweep takes it either')
})

t.test('a daemon that an app left when it ended with 0 ends with a killed run; another run lives on', async t => {
  const rig = await openRig(t)
  await rig.write({
    'other/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'c', appDirPath: '.', command: rig.drivenCommand}]})
  })
  await rig.template([{appID: 'a'}, {appID: 'b', stop: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const other = rig.pillion(['run', '-f', 'other'])
  const [a, , c] = await Promise.all([rig.driven('a'), rig.driven('b'), rig.driven('c')])
  const daemon = await a.spawn({leavesGroup: true})
  await a.exit(0)
  await run.waitForLine('Exited App successfully')
  const watchdog = await watchdogOf(run.pid)
  t.ok(markers(daemon))
  run.signal('SIGKILL')
  t.notOk(await outlasts(watchdog, 6000 + BUSY_MS))
  t.notOk(markers(daemon))
  t.match(await c.fetch('/v1.0/healthz/outbound'), {status: 204})
  t.match(await other.end(), {code: 0})
  t.equal(homesOf(rig).length, 0)
})

t.test('a crash of ours ends the apps as SIGKILL does', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', ...DEAF, stop: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - a == up')
  run.signal('SIGSEGV')
  t.match(await run.exited, {signal: 'SIGSEGV'})
  t.same(await survivors(rig, performance.now() + 800 + BUSY_MS), [])
})

t.test('one that was stopped does not outlive the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('a'), run.waitForLine('Writing log files')])
  const {pid} = await watchdogOf(run.pid)
  process.kill(pid, 'SIGSTOP')
  t.match(await run.end(), {code: 0})
  while (markers(pid)) await pause(20)
})

t.test('a container that does not end at its signal ends with the run that is killed', async t => {
  const rig = await openRig(t)
  // the daemon keeps a container, and its name, whatever becomes of the client
  await rig.write({
    'bin/docker': `#!/bin/sh
[ "$1" = rm ] && exec rmdir "${rig.folder}/held/$DOCKER_HOST-$4"
mkdir -p "${rig.folder}/held/$DOCKER_HOST-$4" && trap '' TERM && echo up && exec sleep 1000
`
  })
  await chmod(join(rig.folder, 'bin/docker'), 0o755)
  const command = [join(rig.folder, 'bin/docker'), 'run', '--rm', '--name', 'shop-web', 'image']
  await rig.template([{appID: 'a', command, stop: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'], {env: {DOCKER_HOST: 'far'}})
  await run.waitForLine('== APP - a == up')
  await run.waitForLine('Writing log files')
  t.ok(existsSync(join(rig.folder, 'held/far-shop-web')))
  const watchdog = await watchdogOf(run.pid)
  run.signal('SIGKILL')
  t.notOk(await outlasts(watchdog, 1800 + BUSY_MS))
  t.notOk(existsSync(join(rig.folder, 'held/far-shop-web')))
})
