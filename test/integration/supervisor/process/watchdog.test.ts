import {execFile} from 'node:child_process'
import {copyFile} from 'node:fs/promises'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import t from 'tap'
import {Watchdog} from '../../../../src/supervisor/process/watchdog.ts'
import {startOf} from '../../../../src/platform/process-table.ts'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'
import {newMark, Sleeper, testShell, vanish} from './watchdog-shell.ts'

const module = (name: string): string => import.meta.resolve(`../../../../src/${name}.ts`)

// `test/long/watchdog-shells.test.ts` has the other shells
testShell(['/bin/sh'])

t.test('an empty machine is left without waiting for the grace', async t => {
  await vanish({marker: newMark(), graceMs: 600_000, lines: []}) // no test waits that long
  t.pass('it has ended')
})

t.test('TERM comes once, and a shell that dies of it does not hide its children', async t => {
  const folder = mkdtempSync('/tmp/p-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const note = join(folder, 'note')
  const sayGoodbye = `trap 'echo term >>${note}; n=0' TERM; n=-9999; echo up >>${note}; while [ $n -lt 10 ]; do sleep 0.05; n=$((n+1)); done; echo bye >>${note}`
  const leader = new Sleeper(t, {}, `sh -c "${sayGoodbye.replaceAll('$', '\\$')}" & wait`)
  while (!existsSync(note) || readFileSync(note, 'utf8') === '') await new Promise(setImmediate)
  await vanish({marker: newMark(), lines: [leader.told]})
  t.same(readFileSync(note, 'utf8').split('\n').filter(Boolean), ['up', 'term', 'bye'])
})

t.test('TERM comes once where a leader passes it on, whether it waits or exits at once', async t => {
  const folder = mkdtempSync('/tmp/p-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const note = join(folder, 'note')
  writeFileSync(
    join(folder, 'counter'),
    `trap 'n=$((n+1)); echo asked $n >>${note}' TERM; n=0; echo up >>${note}; while [ $n = 0 ]; do sleep 0.02; done; sleep 0.5; echo done $n >>${note}`
  )
  for (const passing of ['sleep 0.1; kill $p', 'sleep 0.1; kill $p; exit 0']) {
    rmSync(note, {force: true})
    const leader = new Sleeper(t, {}, `sh ${folder}/counter & p=$!; trap '${passing}' TERM; wait; wait`)
    while (!existsSync(note) || readFileSync(note, 'utf8') === '') await new Promise(setImmediate)
    await vanish({marker: newMark(), lines: [leader.told]})
    t.same(readFileSync(note, 'utf8').split('\n').filter(Boolean), ['up', 'asked 1', 'done 1'], passing)
  }
})

t.test('a number that has been given to somebody else is not signalled', async t => {
  const foreignListener = new Sleeper(t, {})
  await vanish({marker: newMark(), lines: [`+${foreignListener.pid} 17`]})
  t.equal(foreignListener.signal, null)
  const ours = newMark()
  const known = new Sleeper(t, {PILLION_RUN: ours})
  await vanish({marker: ours, lines: [`+${known.pid} 17`]})
  await known.gone
  t.equal(known.signal, 'SIGTERM', 'a member with the mark proves a group')
})

t.test('a group that is gone is forgotten', async t => {
  const [gone, other] = [new Sleeper(t, {}), new Sleeper(t, {})]
  await vanish({marker: newMark(), lines: [gone.told, other.told, `-${gone.pid}`]})
  await other.gone
  t.same([gone.signal, other.signal], [null, 'SIGTERM'])
})

t.test('only the carriers of exactly this mark are ended, and none of a life that is spared', async t => {
  const marker = newMark()
  const alike = [
    new Sleeper(t, {PILLION_RUN: `${marker}x`}),
    new Sleeper(t, {X: `PILLION_RUN=${marker}`}),
    new Sleeper(t, {PILLION_RUN: marker, PILLION_LIFE: `${marker}-1`})
  ]
  const ended = new Sleeper(t, {PILLION_RUN: marker, PILLION_LIFE: `${marker}-12`})
  await vanish({marker, graceMs: 0, lines: [`spare ${marker}-1`]})
  await ended.gone
  t.same(
    alike.map(({signal}) => signal),
    [null, null, null]
  )
})

t.test('names with brackets and blanks confuse nobody', async t => {
  const odd = new Sleeper(t, {}, "printf ') R 1 1' >/proc/$$/comm; sleep 300; true")
  while (!readFileSync(`/proc/${odd.pid}/comm`, 'utf8').startsWith(')')) await new Promise(setImmediate)
  await vanish({marker: newMark(), lines: [odd.told]})
  await odd.gone
  t.equal(odd.signal, 'SIGTERM')
})

t.test("the folder of a killed run's socket is removed, but for what others have put there", async t => {
  const folder = mkdtempSync('/tmp/p-')
  const own = ['about', 'about.new', 'data', 'dashboard.html', 'new', 'socket', 'spared']
  for (const name of own) writeFileSync(join(folder, name), '')
  await vanish({marker: newMark(), home: folder, lines: []})
  t.notOk(existsSync(folder))
  const busy = mkdtempSync('/tmp/p-')
  t.teardown(() => rmSync(busy, {recursive: true}))
  writeFileSync(join(busy, 'other'), '')
  await vanish({marker: newMark(), home: busy, lines: []})
  t.ok(existsSync(join(busy, 'other')))
})

t.test('an app has the time to end that an edit has given it', async t => {
  const marker = newMark()
  const slow = new Sleeper(t, {}, "trap 'sleep 0.3; exit 7' TERM; echo up; while :; do sleep 0.05; done")
  await slow.said
  await vanish({marker, graceMs: 0, lines: [slow.told, 'grace 60000']})
  await slow.gone
  t.equal(slow.child.exitCode, 7)
})

t.test('dismissed, it ends and touches nobody', async t => {
  const marker = newMark()
  const lost: string[] = []
  const watchdog = new Watchdog(marker, 100, {}, why => lost.push(why))
  watchdog.start('')
  const exchange = new Sleeper(t, {PILLION_RUN: marker})
  watchdog.watch({pid: exchange.pid, started: startOf(exchange.pid)})
  await watchdog.dismiss()
  t.equal(exchange.signal, null)
  t.same(lost, [])
})

t.test('one that cannot be dismissed because it was never started is no hindrance', async t => {
  const watchdog = new Watchdog(newMark(), 100, {}, why => t.fail(why))
  watchdog.watch({pid: undefined, started: 0})
  watchdog.forget({pid: 1})
  watchdog.spare('x-1')
  await watchdog.dismiss()
  t.pass()
})

t.test("the user's browser lives on; one that a program drives does not", async t => {
  const marker = newMark()
  const browser = join(t.testdir(), 'chromium')
  await copyFile('/bin/bash', browser)
  const open = (word: string): Sleeper =>
    new Sleeper(
      t,
      {PILLION_RUN: marker},
      `mkfifo ${browser}.${word}; exec ${browser} -c 'echo up; read x <>$0.$1' ${browser} ${word} --${word}`
    )
  const [window, headless] = [open('window'), open('headless')]
  await Promise.all([window.said, headless.said])
  await vanish({marker, graceMs: 0, lines: []})
  await headless.gone
  t.equal(window.signal, null)
})

t.test('what runs in an editor that the run has opened lives on', async t => {
  const marker = newMark()
  const editor = join(t.testdir({share: {code: {}}}), 'share/code/code')
  await copyFile('/bin/bash', editor)
  const inside = `setsid sh -c 'echo $$; exec sleep 300' & wait`
  const [opened, other] = [
    new Sleeper(t, {PILLION_RUN: marker, INSIDE: inside}, `exec ${editor} -c "$INSIDE"`),
    new Sleeper(t, {PILLION_RUN: marker})
  ]
  const pid = Number(String(await opened.said))
  t.teardown(() => process.kill(pid, 'SIGKILL'))
  await vanish({marker, graceMs: 0, lines: []})
  await other.gone
  t.not(startOf(pid), 0)
  t.not(startOf(opened.pid), 0)
})

t.test('the container of a command that was killed is removed; that of an ended command is not ours', async t => {
  const folder = t.testdir({'a docker': '#!/bin/sh\necho "$@" >>"$0.log"\n'})
  const engine = join(folder, 'a docker')
  chmodSync(engine, 0o755)
  const [left, gone] = [new Sleeper(t, {}), new Sleeper(t, {})]
  const containerOf = ({pid}: Sleeper, name: string): string => `container ${pid}:${startOf(pid)} ${name} '${engine}'`
  const lines = [left.told, containerOf(left, 'shop-web'), gone.told, containerOf(gone, 'shop-db'), `-${gone.pid}`]
  await vanish({marker: newMark(), lines})
  t.equal(readFileSync(`${engine}.log`, 'utf8'), 'rm --force --volumes shop-web\n')
})

t.test('the network of a killed run is removed after its containers', async t => {
  const folder = t.testdir({docker: '#!/bin/sh\n[ "$1" = rm ] && sleep 0.3\necho "$@" >>"$0.log"\n'})
  const engine = join(folder, 'docker')
  chmodSync(engine, 0o755)
  const left = new Sleeper(t, {})
  const container = `container ${left.pid}:${startOf(left.pid)} shop-web '${engine}'`
  await vanish({marker: newMark(), lines: [`network pillion-1 '${engine}'`, left.told, container]})
  t.equal(readFileSync(`${engine}.log`, 'utf8'), 'rm --force --volumes shop-web\nnetwork rm pillion-1\n')
})

t.test('each container is removed as its own command would: by the engine and at the daemon of its app', async t => {
  const folder = t.testdir({docker: '#!/bin/sh\necho "$DOCKER_HOST $SECRET $@" >>"$0.log"\n'})
  const engine = join(folder, 'docker')
  chmodSync(engine, 0o755)
  const left = [new Sleeper(t, {}), new Sleeper(t, {})]
  await t.resolves(
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `
      const {Watchdog} = await import('${module('supervisor/process/watchdog')}')
      const watchdog = new Watchdog('${newMark()}', 0, {...process.env, DOCKER_HOST: 'of the run'}, why => { throw new Error(why) })
      watchdog.start('')
      const groups = ${JSON.stringify(left.map(({pid}) => ({pid, started: startOf(pid)})))}
      const env = {PATH: ${JSON.stringify(`${folder}:/bin:/usr/bin`)}, SECRET: '1', DOCKER_TEXT: 'a\\nb', 'DOCKER_NO.NAME': 'of a shell'}
      watchdog.watch(groups[0], 0, {engine: 'docker', names: ['web'], env: {...env, DOCKER_HOST: "of 'web'"}})
      watchdog.watch(groups[1], 0, {engine: ${JSON.stringify(engine)}, names: ['db'], env: {...env, DOCKER_HOST: 'of the run'}})
      setImmediate(() => process.kill(process.pid, 'SIGKILL'))
      `
    ]).catch(({signal}: {readonly signal: string}) => t.equal(signal, 'SIGKILL'))
  )
  const log = (): string => (existsSync(`${engine}.log`) ? readFileSync(`${engine}.log`, 'utf8') : '')
  while (log().split('\n').length < 3) await pause(20)
  t.same(log().split('\n').toSorted(), [
    '',
    "of 'web'  rm --force --volumes web",
    'of the run  rm --force --volumes db'
  ])
})

t.test('where no descriptor was free, it is started with the next process, and knows those before it', async t => {
  const file = join(t.testdir(), 'pids')
  await t.resolves(
    withFewDescriptors(`
      import {spawn} from 'node:child_process'
      import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
      const {Watchdog} = await import('${module('supervisor/process/watchdog')}')
      const {startOf} = await import('${module('platform/process-table')}')
      const marker = '${newMark()}'
      const sleepers = [1, 2].map(() => spawn('sleep', ['300'], {detached: true, stdio: 'ignore'}))
      const watched = sleepers.map(({pid}) => ({pid, started: startOf(pid)}))
      const lost = []
      const watchdog = new Watchdog(marker, 0, process.env, why => lost.push(why))
      const watchdogs = () =>
        readdirSync('/proc').filter(name => {
          try {
            return readFileSync('/proc/' + name + '/cmdline', 'utf8').includes('watchdog\\0' + marker)
          } catch {
            return false
          }
        })
      fill()
      watchdog.start('')
      await new Promise(setImmediate)
      watchdog.watch(watched[0])
      await new Promise(setImmediate)
      free()
      equal(lost.length, 1)
      equal(watchdogs().length, 0)
      watchdog.watch(watched[1])
      // its command line may appear a moment after posix_spawn(3) returns
      while (watchdogs().length === 0) await new Promise(setImmediate)
      writeFileSync('${file}', watched.map(({pid}) => pid).join(' '))
      await new Promise(setImmediate)
      process.exit()
    `)
  )
  const pids = readFileSync(file, 'utf8').split(' ').map(Number)
  t.equal(pids.length, 2)
  while (pids.some(pid => startOf(pid) > 0)) await pause(20)
})
