import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'tap'
import {execa} from 'execa'
import {endMarked} from '../../../../src/supervisor/process/end-group.ts'
import type {Orphan} from '../../../../src/supervisor/process/process-tracker.ts'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'
import {fixture, isAlive, Scene, script} from './scene.ts'

const DEAF = fixture('deaf.sh').at(-1) ?? ''
const BRIEF = {signal: 'SIGTERM', timeoutMs: 300, first: 'leader', scope: 'all'} as const

const sleeper = (run: string) => execa('sleep', ['1000'], {env: {PILLION_RUN: run}, reject: false, stdio: 'ignore'})

test('a grandchild that is deaf to the stop signal is killed when the grace is over', async t => {
  const {app, witness} = new Scene(t).app({command: script(`sh ${DEAF} & wait`), stop: BRIEF})
  await app.start()
  const [, deaf] = await witness.seen(/deaf (\d+)/)
  await app.stop('user')
  t.notOk(isAlive(Number(deaf)))
  t.same(witness.notes, [], 'it never left the group')
})

test('a deaf grandchild whose leader has gone is killed in the same way', async t => {
  const scene = new Scene(t)
  const folder = await scene.folder()
  const command = script(`sh ${DEAF} & until [ -e flag ]; do sleep 0.02; done; exit 3`)
  const {app, witness} = scene.app({command, stop: BRIEF, folder})
  await app.start()
  const [, deaf] = await witness.seen(/deaf (\d+)/)
  await writeFile(join(folder, 'flag'), '')
  t.match(await app.ended, {exit: {kind: 'code', code: 3}, asked: false})
  t.notOk(isAlive(Number(deaf)))
})

const SRC = join(import.meta.dirname, '../../../../src')

test('what is deaf is killed, too, while no file can be opened: no process is seen then', async () =>
  withFewDescriptors(`
    import {spawn} from 'node:child_process'
    import {once} from 'node:events'
    const {endGroup} = await import('${SRC}/supervisor/process/end-group.ts')
    const {startOf} = await import('${SRC}/platform/process-table.ts')
    const stdio = ['ignore', 'pipe', 'ignore']
    const leader = spawn('sh', ['-c', "trap '' TERM; echo deaf; while :; do sleep 0.05; done"], {stdio, detached: true})
    await once(leader.stdout, 'data')
    const {pid} = leader
    const group = {
      pid,
      started: startOf(pid),
      exited: once(leader, 'exit'),
      hasExited: () => leader.signalCode !== null,
      signal: (name, to) => process.kill(to === 'leader' ? pid : -pid, name)
    }
    const stop = {signal: 'SIGTERM', timeoutMs: 200, first: 'leader', scope: 'all'}
    const now = new AbortController().signal
    const output = {drained: async () => undefined}
    fill()
    try {
      await endGroup({group, output, stop, marker: 'PILLION_LIFE=none', isSuccess: false, now, ended: () => undefined})
      equal(leader.signalCode, 'SIGKILL')
    } finally {
      free()
      if (leader.signalCode === null) process.kill(-pid, 'SIGKILL')
    }
  `))

test('a shell that dies first does not hide the server that says goodbye', async t => {
  const goodbye = `trap 'sleep 0.2; echo goodbye; exit 0' TERM; echo up; while :; do sleep 0.02; done`
  const {app, witness} = new Scene(t).app({command: script(`sh -c "${goodbye}" & wait`)})
  await app.start()
  await witness.seen(/up/)
  await app.stop('user')
  t.equal(witness.text.stdout, 'up\ngoodbye\n')
})

test('what has left its group is found by its mark, ended, and named', async t => {
  const {app, witness} = new Scene(t).app({command: fixture('leaver.mjs', 'stay')})
  await app.start()
  const [, pid] = await witness.seen(/left (\d+)/)
  await app.stop('user')
  t.notOk(isAlive(Number(pid)))
  t.match(witness.notes, [{type: 'orphan-ended', pid: Number(pid), command: /setInterval/}])
})

test('what has left its group and is deaf is killed, and named once', async t => {
  const {app, witness} = new Scene(t).app({command: fixture('leaver.mjs', 'stay', 'deaf'), stop: BRIEF})
  await app.start()
  const [, pid] = await witness.seen(/left (\d+)/)
  await app.stop('user')
  t.notOk(isAlive(Number(pid)))
  t.equal(witness.notes.length, 1)
})

test('with the scope "group" what has left it lives on', async t => {
  const scene = new Scene(t)
  const stop = {signal: 'SIGTERM', timeoutMs: 5000, first: 'leader', scope: 'group'} as const
  const {app, witness} = scene.app({command: fixture('leaver.mjs', 'stay'), stop})
  await app.start()
  const [, pid] = await witness.seen(/left (\d+)/)
  await app.stop('user')
  t.ok(isAlive(Number(pid)))
  const spared = [`PILLION_LIFE=${scene.run}-0.1`]
  await endMarked({marker: scene.marker, spared, graceMs: 1000, ended: () => t.fail('it is spared')})
  t.ok(isAlive(Number(pid)))
  await endMarked({marker: scene.marker, graceMs: 5000, ended: () => undefined})
  t.notOk(isAlive(Number(pid)))
})

test('a leader that ended with 0 leaves behind what left its group, until the run ends', async t => {
  const scene = new Scene(t)
  const {app, witness} = scene.app({command: fixture('leaver.mjs', '0')})
  await app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 0}, asked: false})
  const pid = Number(/left (\d+)/.exec(witness.text.stdout)?.[1])
  t.ok(isAlive(pid))
  const orphans: Orphan[] = []
  await endMarked({marker: scene.marker, graceMs: 5000, ended: orphan => orphans.push(orphan)})
  t.notOk(isAlive(pid))
  t.match(orphans, [{pid, command: /setInterval/}])
})

test('a leader that ended with 0 leaves nothing in its group', async t => {
  const {app, witness} = new Scene(t).app({command: script('sleep 1000 >/dev/null 2>&1 & echo $!; exit 0')})
  await app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 0}, asked: false})
  t.notOk(isAlive(Number(witness.text.stdout)))
})

test('a leader that failed takes with it what left its group', async t => {
  const {app, witness} = new Scene(t).app({command: fixture('leaver.mjs', '7')})
  await app.start()
  t.match(await app.ended, {exit: {kind: 'code', code: 7}, asked: false})
  const pid = Number(/left (\d+)/.exec(witness.text.stdout)?.[1])
  t.notOk(isAlive(pid))
})

test('only the carriers of exactly this mark are ended', async t => {
  const scene = new Scene(t)
  const ours = sleeper(scene.run)
  const others = [sleeper(`${scene.run}x`), sleeper('x'), sleeper(`x=PILLION_RUN=${scene.run}`)]
  t.teardown(() => others.map(other => other.kill()))
  const orphans: Orphan[] = []
  await endMarked({marker: scene.marker, graceMs: 5000, ended: orphan => orphans.push(orphan)})
  t.match(await ours, {signal: 'SIGTERM'})
  t.same(orphans, [{pid: ours.pid, command: 'sleep 1000'}])
  t.same(
    others.map(({pid}) => isAlive(pid ?? 0)),
    [true, true, true]
  )
})

test('nobody ends himself or his ancestors, though they carry the mark', async t => {
  const scene = new Scene(t)
  const ending = `import {endMarked} from '${import.meta.resolve('../../../../src/supervisor/process/end-group.ts')}'
    const ended = []
    await endMarked({marker: '${scene.marker}', graceMs: 5000, ended: ({command}) => ended.push(command)})
    console.log(JSON.stringify(ended))`
  const inner = [process.execPath, '--input-type=module-typescript', '-e', ending]
  const outer = `sleep 1000 & echo $!; until grep -q sleep /proc/$!/comm; do :; done; "$@"; echo survived`
  const {stdout} = await execa('sh', ['-c', outer, 'sh', ...inner], {env: {PILLION_RUN: scene.run}})
  const [sleeper, ended, shell] = stdout.split('\n')
  t.equal(ended, '["sleep 1000"]')
  t.equal(shell, 'survived')
  t.notOk(isAlive(Number(sleeper)))
})

test('ten obedient apps end together without a delay', async t => {
  const scene = new Scene(t)
  const command = script('trap "exit 0" TERM; echo up; while :; do sleep 0.01; done')
  const apps = Array.from({length: 10}, () => scene.app({command}))
  await Promise.all(apps.map(async ({app}) => app.start()))
  await Promise.all(apps.map(async ({witness}) => witness.seen(/up/)))
  await Promise.all(apps.map(async ({app}) => app.stop('run ends')))
  t.same(await scene.left(), [])
})

test('a process of ours that turns up during the grace is asked, too', async t => {
  const scene = new Scene(t)
  const late = 'trap : TERM; echo up; until [ -e flag ]; do sleep 0.02; done; setsid sleep 1000 & sleep 0.3'
  const folder = await scene.folder()
  const {app, witness} = scene.app({command: script(late), folder})
  await app.start()
  await witness.seen(/up/)
  const stopped = app.stop('user')
  await witness.phase('stopping')
  await writeFile(join(folder, 'flag'), '')
  await stopped
  t.same(await scene.left(), [])
  t.match(witness.notes, [{type: 'orphan-ended', command: 'sleep 1000'}])
})

/** Counts its stop signals, and ends some time after the first one. */
const COUNTER = `trap 'n=$((n+1)); echo asked $n' TERM; n=0; echo up; while [ $n = 0 ]; do sleep 0.02; done; sleep 0.3; echo done $n`
const counting = (file: string, around: string): readonly string[] =>
  script(`cat >${file} <<'E'\n${COUNTER}\nE\n${around}`)

const LAUNCHERS = {
  'passes the signal on, and waits': `sh counter & p=$!; trap 'sleep 0.1; kill $p' TERM; wait; wait`,
  'passes the signal on, and exits at once': `sh counter & p=$!; trap 'kill $p; exit 0' TERM; wait`,
  'exits at once, without a word': `sh counter & wait`,
  'is below a shell that exits at once': `cat >inner <<'E'\nsh counter & p=$!; trap 'kill $p' TERM; wait; wait\nE\nsh inner; true`
}
for (const [what, around] of Object.entries(LAUNCHERS))
  test(`a program gets one signal and finishes where its launcher ${what}`, async t => {
    const scene = new Scene(t)
    const {app, witness} = scene.app({command: counting('counter', around), folder: await scene.folder()})
    await app.start()
    await witness.seen(/up/)
    await app.stop('user')
    t.equal(witness.text.stdout, 'up\nasked 1\ndone 1\n')
  })

const HOLDS = `trap : TERM; sh counter & while :; do wait; done`
test('below a leader that goes on all get the signal after half of the grace', async t => {
  const scene = new Scene(t)
  const stop = {...BRIEF, timeoutMs: 2000}
  const {app, witness} = scene.app({command: counting('counter', HOLDS), folder: await scene.folder(), stop})
  await app.start()
  await witness.seen(/up/)
  const start = performance.now()
  await app.stop('user')
  t.equal(witness.text.stdout, 'up\nasked 1\ndone 1\n')
  t.ok(performance.now() - start >= 2000, 'the leader is killed')
})

test('with `first: group` all get the signal at once', async t => {
  const scene = new Scene(t)
  const stop = {...BRIEF, timeoutMs: 600_000, first: 'group'} as const // no test waits that long
  const ends = `trap 'n=1' TERM; sh counter; until [ "$n" = 1 ]; do wait; done`
  const {app, witness} = scene.app({command: counting('counter', ends), folder: await scene.folder(), stop})
  await app.start()
  await witness.seen(/up/)
  await app.stop('user')
  t.equal(witness.text.stdout, 'up\nasked 1\ndone 1\n')
})

test('300 processes below a leader that is stopped by SIGSTOP all end', async t => {
  const scene = new Scene(t)
  const many = 'i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done; echo up $$; wait'
  const {app, witness} = scene.app({command: script(many), stop: {...BRIEF, timeoutMs: 1000}})
  await app.start()
  const [, leader] = await witness.seen(/up (\d+)/)
  process.kill(Number(leader), 'SIGSTOP')
  await app.stop('user')
  t.same(await scene.left(), [])
})
