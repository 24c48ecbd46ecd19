import {spawn} from 'node:child_process'
import {once} from 'node:events'
import t from 'tap'
import {parseUsage, usageOf} from '../../../src/platform/usage.ts'

t.test("rows of ps are read: kibibytes, and the clock's forms", async t => {
  t.same(parseUsage('  12   2048   0:01.50\n 300 4 1-02:03:04\n  7 8 1:00:00\nnonsense\n'), [
    {group: 12, memoryBytes: 2_097_152, cpuMs: 1500},
    {group: 300, memoryBytes: 4096, cpuMs: 93_784_000},
    {group: 7, memoryBytes: 8192, cpuMs: 3_600_000}
  ])
})

t.test('the processes of a group are counted together, and no others', async t => {
  const script = 'while (process.cpuUsage().user < 100_000); console.log()'
  const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => 0, 1e6)`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore']
  })
  await once(child.stdout, 'data')
  const pid = child.pid ?? 0
  const usage = await usageOf(new Set([pid, 2 ** 22 + 1]))
  child.kill('SIGKILL')
  t.same([...usage.keys()], [pid])
  t.ok((usage.get(pid)?.memoryBytes ?? 0) > 10_000_000, 'a Node process')
  t.ok((usage.get(pid)?.cpuMs ?? 0) >= 100)
})
