import {once} from 'node:events'
import {spawn} from 'node:child_process'
import {execa} from 'execa'
import {test} from 'tap'
import {seeInProc} from '../../../src/platform/proc.ts'
import {look, lookAgain, ownAncestry, startOf} from '../../../src/platform/process-table.ts'
import {parsePs} from '../../../src/platform/ps.ts'

test('a snapshot contains a child with its group, parent and marker', async t => {
  const child = execa('sleep', ['1000'], {env: {TEST_MARKER: 'a=b c'}, detached: true, reject: false})
  t.teardown(() => child.kill())
  const pid = child.pid ?? 0
  const {all, carries} = await look()
  t.match(
    all.find(seen => seen.pid === pid),
    {parent: process.pid, group: pid, session: pid, started: startOf(pid), isZombie: false}
  )
  t.ok(carries(pid, 'TEST_MARKER=a=b c'))
  t.notOk(carries(pid, 'TEST_MARKER=a=b'))
  t.notOk(carries(pid, 'EST_MARKER=a=b c'))
  const particulars = await lookAgain(pid)
  t.match(particulars, {uid: process.getuid?.(), started: startOf(pid), command: 'sleep 1000'})
  t.ok(particulars?.carries('TEST_MARKER=a=b c'))
})

test('calls in the same tick share a snapshot, a later one gets a new one', async t => {
  const [first, second] = await Promise.all([look(), look()])
  t.equal(first, second)
  t.not(await look(), first)
})

test('a dead child that was not reaped is a zombie and cannot be read again', async t => {
  // the shell becomes a program that never waits for its child
  const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000'], {stdio: ['ignore', 'pipe', 'ignore']})
  t.teardown(() => shell.kill())
  const [line] = (await once(shell.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  while (seeInProc(pid)?.isZombie !== true) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(await lookAgain(pid), undefined)
  t.equal(startOf(pid), 0)
})

test('a process that does not exist is not found; nothing is thrown', async t => {
  t.equal(seeInProc(2 ** 22 + 1), undefined)
  t.equal(await lookAgain(2 ** 22 + 1), undefined)
  t.equal(startOf(2 ** 22 + 1), 0)
})

test('our ancestry contains this process and its ancestors', async t => {
  const ancestry = ownAncestry(await look())
  t.ok(ancestry.has(process.pid))
  t.ok(ancestry.has(process.ppid))
})

test('output of ps is parsed to the same values as /proc', async t => {
  const columns = 'pid=,ppid=,pgid=,uid=,stat=,lstart=,command='
  const child = execa('sleep', ['1000'], {detached: true, reject: false})
  t.teardown(() => child.kill())
  const {stdout} = await execa('ps', ['-A', '-ww', '-o', columns], {env: {LC_ALL: 'C'}})
  const pid = child.pid ?? 0
  const row = parsePs(stdout).find(seen => seen.pid === pid)
  t.match(row, {parent: process.pid, group: pid, uid: process.getuid?.(), isZombie: false, line: 'sleep 1000'})
  t.ok(Math.abs((row?.started ?? 0) - Date.now() / 1000) < 100, 'in seconds since 1970')
})
