import {once} from 'node:events'
import {spawn} from 'node:child_process'
import {execa} from 'execa'
import {test} from 'tap'
import {seeInProc} from '../../../src/platform/proc.ts'
import {look, lookAgain, ourLine, startOf} from '../../../src/platform/process-table.ts'
import {parsePs} from '../../../src/platform/ps.ts'

test('a look sees a child, its group, its parent and its mark', async t => {
  const child = execa('sleep', ['1000'], {env: {MARK_OF_THIS: 'a=b c'}, detached: true, reject: false})
  t.teardown(() => child.kill())
  const pid = child.pid ?? 0
  const {all, carries} = await look()
  t.match(
    all.find(seen => seen.pid === pid),
    {parent: process.pid, group: pid, session: pid, started: startOf(pid), isZombie: false}
  )
  t.ok(carries(pid, 'MARK_OF_THIS=a=b c'))
  t.notOk(carries(pid, 'MARK_OF_THIS=a=b'))
  t.notOk(carries(pid, 'ARK_OF_THIS=a=b c'))
  const particulars = await lookAgain(pid)
  t.match(particulars, {uid: process.getuid?.(), started: startOf(pid), command: 'sleep 1000'})
  t.ok(particulars?.carries('MARK_OF_THIS=a=b c'))
})

test('those who look in the same moment share a pass, a later one does not', async t => {
  const [first, second] = await Promise.all([look(), look()])
  t.equal(first, second)
  t.not(await look(), first)
})

test('a dead child that nobody reaped is a zombie, and cannot be looked at again', async t => {
  // the shell becomes a program that never waits for its child
  const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000'], {stdio: ['ignore', 'pipe', 'ignore']})
  t.teardown(() => shell.kill())
  const [line] = (await once(shell.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  while (seeInProc(pid)?.isZombie !== true) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(await lookAgain(pid), undefined)
})

test('what does not exist is not seen, and does not throw', async t => {
  t.equal(seeInProc(2 ** 22 + 1), undefined)
  t.equal(await lookAgain(2 ** 22 + 1), undefined)
  t.equal(startOf(2 ** 22 + 1), 0)
})

test('our line is we and our ancestors', async t => {
  const line = ourLine(await look())
  t.ok(line.has(process.pid))
  t.ok(line.has(process.ppid))
})

test('what ps prints is read as /proc tells it', async t => {
  const columns = 'pid=,ppid=,pgid=,uid=,stat=,lstart=,command='
  const child = execa('sleep', ['1000'], {detached: true, reject: false})
  t.teardown(() => child.kill())
  const {stdout} = await execa('ps', ['-A', '-ww', '-o', columns], {env: {LC_ALL: 'C'}})
  const pid = child.pid ?? 0
  const row = parsePs(stdout).find(seen => seen.pid === pid)
  t.match(row, {parent: process.pid, group: pid, uid: process.getuid?.(), isZombie: false, line: 'sleep 1000'})
  t.ok(Math.abs((row?.started ?? 0) - Date.now() / 1000) < 5, 'in seconds since 1970')
})
