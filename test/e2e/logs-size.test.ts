import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const SIZE = 1024 * 1024
const BATCH = 2000

t.test('a log that is followed, read and rotated loses no line, also when the run is killed', async t => {
  const rig = await openRig(t)
  const template = [
    {appID: 'stock', appDirPath: '.', logs: {size: '1Mi'}, appLogDestination: 'file', command: rig.drivenCommand}
  ]
  await rig.template(template)
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await stock.print('line 0\n')
  const follower = rig.pillion(['logs', '-a', 'stock', '-f'])
  await follower.waitForLine('line 0')
  let lines = 1
  const expected = (from: number): string =>
    Array.from(
      {length: lines - from},
      (_, n) => `== APP - stock == line ${from + n}${n + from > 0 ? ' '.padEnd(90, 'x') : ''}\n`
    ).join('')
  const last = async (count: number): Promise<string> =>
    (await rig.run(['logs', '-a', 'stock', '--tail', count.toString()])).stdout
  for (let batch = 0; batch < 16; batch++) {
    const first = lines
    lines += BATCH
    await stock.print(expected(first).replaceAll('== APP - stock == ', ''))
    await follower.waitForLine(`line ${lines - 1} `)
    if (batch === 8) t.equal(await last(3), expected(lines - 3))
  }
  t.ok(follower.stdout.text === expected(0), 'who follows gets each line once')
  const folder = join(rig.folder, '.dapr/logs')
  const path = join(
    folder,
    readdirSync(folder).find(name => name.startsWith('stock_app') && name.endsWith('.log')) ?? ''
  )
  t.equal(await last(1), expected(lines - 1), 'who reads waits for what is not on the disk yet')
  t.ok(
    statSync(path).size + statSync(`${path}.1`).size < SIZE + 1000,
    'no more than its size is kept, but for the ends of lines'
  )
  await run.end('SIGKILL')
  const {stdout} = await rig.run(['logs', '-a', 'stock'])
  t.ok(stdout.length > SIZE / 2 && expected(0).endsWith(stdout), `${stdout.length} bytes are left, without a gap`)

  const again = rig.pillion(['run', '-f', '.'])
  await (await rig.driven('stock')).print('once more\n')
  const next = rig.pillion(['logs', '-a', 'stock', '-f'])
  await next.waitForLine('once more')
  await again.end()
  t.match((await next.exited).code, 0)
})
