import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import type {AppOwner} from '../../../../src/supervisor/owner/owner.ts'
import {TestClock} from '../../../rig/clock.ts'
import {FakeRuntime, ownerOf, settle} from '../owner/fake-app.ts'

/** An app in which a hundred calls of one caller are stuck; `looks`: how often all of them were listed. */
class Stuck extends FakeRuntime {
  looks = 0

  constructor(reload: AppPlan['reload']) {
    super(reload)
    for (let calls = 0; calls < 100; calls++) this.call('/')
    const listed = (): unknown => {
      this.looks++
      return Reflect.get(AdmissionQueue.prototype, 'inFlight', this.queue)
    }
    Object.defineProperty(this.queue, 'inFlight', {get: listed})
    this.coming.ready.resolve(true)
    this.coming.healthy.resolve(true)
  }
}

/** The changes of an app in which calls are stuck, and how often they were looked at. */
async function cutAfter(reload: AppPlan['reload']) {
  const [runtime, clock, warned] = [new Stuck(reload), new TestClock(), new Array<string>()]
  let cycles = 0
  const owner: AppOwner = ownerOf(runtime, clock, warned, () => [], {
    reporter: {warn: (_, text) => warned.push(text)},
    callCycle: () => (cycles++, '')
  })
  owner.want('watch')
  await settle()
  clock.pass(5000)
  await settle()
  owner.end()
  return {looks: runtime.looks, cycles, warned}
}

for (const reload of ['replace', 'overlap'] as const)
  t.test(`${reload}: many calls are cut without a look at all of them for each`, async t => {
    const {looks, cycles, warned} = await cutAfter(reload)
    t.match(warned, [/100 calls were still in flight/])
    t.same([looks, cycles], [2, 1], 'all have the same caller')
  })
