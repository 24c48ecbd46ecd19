import t from 'tap'
import {oneActor} from '../../../../src/observe/api/actors/serve-actors.ts'
import type {ActorFacts} from '../../../../src/observe/api/run-facts.ts'
import type {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import type {Reminders} from '../../../../src/work/actor/reminders.ts'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

t.test('an actor is shown as it is once its state is read, from a slow store too', async t => {
  const {actors, clock, call} = openActorHouse()
  actors.host(new TestHost('carts'), types(['Cart']))
  const reminders = {list: async () => Promise.resolve([]), aheadMs: 0}
  const facts: ActorFacts = {
    loaded: () => actors,
    reminders: async () => Promise.resolve(reminders as unknown as Reminders),
    stateOf: async () => {
      clock.pass(3000)
      void call('Cart/1', 'add')
      void call('Cart/1', 'pay')
      clock.pass(1000)
      return Promise.resolve([])
    }
  }
  t.match(await oneActor(facts, new URLSearchParams({type: 'Cart', id: '1'}), {} as Masking), {
    inside: 'add',
    insideMs: 1000,
    waitingMs: 1000,
    calls: [{sinceMs: 1000}],
    queue: [{sinceMs: 1000}]
  })
  actors.close()
})
