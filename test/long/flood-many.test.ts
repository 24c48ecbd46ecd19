import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {countedIn, FLOOD, isLong, logFileOf, runInto, watchMemory} from './flooding.ts'

const APPS = Array.from({length: 20}, (_, index) => `app-${index}`)
const LINES = isLong ? 200_000 : 10_000

t.test('twenty apps that flood at once: every line of each arrives once and in order', async t => {
  const rig = await openRig(t)
  await rig.template(
    APPS.map(appID => ({appID, logs: {size: 0}, command: [process.execPath, FLOOD, LINES.toString(), '100', '1', '2']}))
  )
  const run = runInto(rig, 'console')
  const memory = watchMemory(run.pid)
  t.match(await run.exited, {code: 0})
  const whole = {count: LINES, outOfOrder: ''}
  const expected = (apps: readonly string[]): object =>
    Object.fromEntries(apps.flatMap(app => [`${app} 1`, `${app} 2`]).map(key => [key, whole]))
  t.same(Object.fromEntries((await countedIn(join(rig.folder, 'console'))).flooded), expected(APPS), 'on the console')
  for (const app of APPS) {
    const {flooded, others} = await countedIn(await logFileOf(rig, app))
    t.same(Object.fromEntries(flooded), expected([app]), app)
    t.same(others, ['Exited App successfully'])
  }
  const most = Math.max(...memory())
  t.comment(`${most.toFixed()} MB`)
  t.ok(most < 300, `${most.toFixed()} MB`)
})
