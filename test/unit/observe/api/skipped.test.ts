import t from 'tap'
import {DEFAULT_WORKFLOWS} from '../../../../src/files/resources/defaults.ts'
import {skipTime} from '../../../../src/observe/api/workflows/serve-workflows.ts'
import type {ApiRequest} from '../../../../src/observe/api/route.ts'
import {answer, connected, end, openHouse, order, timer} from '../../../rig/workflow-house.ts'

const HOUR_MS = 3_600_000

t.test('a skip names a timer whose workflow is over and removed by its end', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  house.settings = {...DEFAULT_WORKFLOWS, retention: {anyTerminal: HOUR_MS}}
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const createTimer = timer({seconds: 3600n, nanos: 0})
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createTimer}]))
  worker.seen()
  const request = {body: JSON.stringify({ms: 3 * HOUR_MS}), gone: new AbortController().signal}
  const skipping = skipTime(workflows, request as ApiRequest)
  while (worker.items.length === 0) await new Promise(setImmediate)
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  const {fired} = await skipping
  t.match(fired, [{kind: 'timer', afterMs: HOUR_MS, app: 'shop', id: 'o-1', name: 'order', eventId: 1}])
  t.equal(fired.length, 1)
  t.equal(workflows.find('shop', 'o-1'), undefined)
  house.close()
})
