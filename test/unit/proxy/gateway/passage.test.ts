import t from 'tap'
import {Passage} from '../../../../src/proxy/gateway/passage.ts'
import type {Passenger} from '../../../../src/proxy/gateway/passenger.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {aCall, aRequest} from '../../../rig/made-call.ts'

const nothing = (): void => undefined

t.test('a process that was replaced, and refuses, says nothing of the one that takes calls now', async t => {
  const asked: boolean[] = []
  const pools = [true, false].map(isRetired => {
    const pool = new Pool({hosts: ['127.0.0.1'], port: 1})
    if (isRetired) pool.retire()
    return pool
  })
  const passenger: Passenger = {
    ask: isRefused => {
      asked.push(isRefused)
      const [pool = new Pool({hosts: [], port: 1})] = pools.splice(0, 1)
      return {ok: true, pool, isLocal: true, token: '', pathPrefix: '', leave: nothing}
    },
    protocolAt: () => 'HTTP/1.1',
    send: nothing,
    denied: nothing,
    endByFault: nothing,
    drop: nothing,
    crash: nothing
  }
  const call = aCall({caller: 'web', callee: 'shop'})
  const passage = new Passage(passenger, {}, {call, request: aRequest(call)})
  passage.start()
  t.ok(passage.refused())
  t.ok(passage.refused())
  t.strictSame(asked, [false, false, true])
})
