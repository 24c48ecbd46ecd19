import {execFile} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const DAYS = join(import.meta.dirname, '../days/main.ts')

// in a process of its own: modules are replaced there. `npm run days -- --copies --real` does it with Git and processes
t.test('copies that start, are edited, killed and moved have no number twice, and all are given the same', async t => {
  const args = [DAYS, '--copies', '--seed', '1', '--seeds', '40', '--steps', '100']
  const printed = await new Promise<string>(resolve =>
    execFile(process.execPath, args, (_, stdout, stderr) => resolve(stdout + stderr))
  )
  t.match(printed, /^40 walks of 100 steps through numbers of ports, 0 failed$/m)
})
