import {execFile} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const DAYS = join(import.meta.dirname, '../days/main.ts')

t.test('commands typed at the same time, and disturbed, end as they should and leave nothing', async t => {
  const args = [DAYS, '--terminals', '--seed', '1', '--seeds', '2', '--steps', '4']
  const printed = await new Promise<string>(resolve =>
    execFile(process.execPath, args, (_, stdout, stderr) => resolve(stdout + stderr))
  )
  t.match(printed, /^terminals walk 1, 4 steps: as it must be\nterminals walk 2, 4 steps: as it must be\n$/)
})
