import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {SMALL_DISK_TO_FILE, skipWithoutSmallDisk} from '../rig/small-disk.ts'
import {countedIn, FLOOD} from './flooding.ts'

const LINES = 50_000

t.test('a full disk costs the log file, one warning; console and app go on', {skip: skipWithoutSmallDisk}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'flood', command: [process.execPath, FLOOD, LINES.toString(), '100', '1', '2']}])
  await mkdir(join(rig.folder, 'flood/.dapr'))
  const run = rig.start([...SMALL_DISK_TO_FILE, 'flood/.dapr', ...rig.program, 'run', '-f', '.'])
  t.match(await run.exited, {code: 0})
  t.match(
    run.stderr.lines[0],
    /^⚠ {2}cannot write log file \S+flood_app_\d{14}\.log: no space left on device; lines are left out until it can be written again$/
  )
  t.equal(run.stderr.lines.length, 1)
  const whole = {count: LINES, outOfOrder: ''}
  const {flooded} = await countedIn(join(rig.folder, 'console'))
  t.same(Object.fromEntries(flooded), {'flood 1': whole, 'flood 2': whole})
})
