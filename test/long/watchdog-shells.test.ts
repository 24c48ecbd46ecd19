/** What `test/integration/supervisor/process/watchdog.test.ts` does with the shell of this machine, with others. */
import {execFileSync} from 'node:child_process'
import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import t from 'tap'
import {DEAF, newMark, Sleeper, testShell, vanish} from '../integration/supervisor/process/watchdog-shell.ts'
import {missing} from '../rig/missing.ts'

const SHELLS: readonly (readonly [string, ...string[]])[] = [
  ['/bin/dash'],
  ['/bin/bash', '--posix'],
  ['/bin/busybox', 'sh'],
  ['/bin/ksh']
]

for (const shell of SHELLS.filter(([file]) => existsSync(file))) testShell(shell)

/** As in Alpine: no tools but these. */
const BUSYBOX = '/bin/busybox'
const WITHOUT = existsSync(BUSYBOX) ? false : missing('busybox')
t.test('with busybox alone, what carries the mark and has left all groups is ended', {skip: WITHOUT}, async t => {
  const tools = mkdtempSync('/tmp/busybox-')
  t.teardown(() => rmSync(tools, {recursive: true}))
  execFileSync(BUSYBOX, ['--install', '-s', tools])
  const marker = newMark()
  const obedient = new Sleeper(t, {PILLION_RUN: marker, ZZZ: 'last'})
  const deaf = new Sleeper(t, {A: 'first', PILLION_RUN: marker, ZZZ: 'last'}, DEAF)
  const spared = new Sleeper(t, {A: 'first', PILLION_RUN: marker, PILLION_LIFE: `${marker}-1`})
  await deaf.said
  await vanish({shell: [BUSYBOX, 'sh'], tools, marker, graceMs: 1000, lines: [`spare ${marker}-1`]})
  await Promise.all([obedient.gone, deaf.gone])
  t.same([obedient.signal, deaf.signal, spared.signal], ['SIGTERM', 'SIGKILL', null])
})
