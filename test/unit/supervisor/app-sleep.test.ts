import t from 'tap'
import type {AppState} from '../../../src/model/app-state.ts'
import {AdmissionQueue} from '../../../src/proxy/gateway/admission-queue.ts'
import {AppSleep} from '../../../src/supervisor/app-sleep.ts'
import {planOf} from '../../rig/plan.ts'

const nothing = (): void => undefined

t.test('a call that comes before the run has put the app to sleep starts it', t => {
  const woken: string[] = []
  const app: {state: AppState} = {state: {phase: 'idle'}}
  const queue: AdmissionQueue = new AdmissionQueue({timeoutMs: Infinity, onWait: call => sleep.onWait(call)})
  const sleep = new AppSleep(
    {name: 'stock', plan: planOf(), queue, app},
    {sleep: nothing, starting: nothing, triggers: () => ({}), wake: cause => woken.push(cause), learn: nothing}
  )
  queue.hold('"stock" has not been started')
  queue.admit({caller: 'shop', method: 'GET', path: '/items'})
  t.same(woken, [])
  app.state = {phase: 'asleep', last: undefined}
  sleep.onMove()
  t.same(woken, ['shop: GET /items'])
  t.end()
})
