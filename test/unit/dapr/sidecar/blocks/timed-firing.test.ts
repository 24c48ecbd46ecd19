import t from 'tap'
import {readFault, type FaultFields} from '../../../../../src/files/config/fault.ts'
import {faultedTurn} from '../../../../../src/dapr/sidecar/blocks/timed-firing.ts'
import {Faults} from '../../../../../src/proxy/faults/faults.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {aCall, aRequest} from '../../../../rig/made-call.ts'

/** A call of `Cart/1` by `shop`, hosted by `carts`. */
const journal = (actor = 'Cart'): CallJournal =>
  new CallJournal(
    aCall({callee: 'carts', method: 'PUT', path: '/actors/Cart/1/method/add', actor}),
    {...aRequest(), method: 'PUT', path: '/actors/Cart/1/method/add', lines: ''},
    undefined,
    undefined
  )

const faultsOf = (fields: FaultFields): Faults => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  faults.add(readFault(fields))
  return faults
}

t.test('what a fault of a type makes of a turn by a stream', async t => {
  const turn = async (fields: FaultFields, of = journal()): Promise<unknown> =>
    faultedTurn({active: faultsOf({actor: 'Cart', ...fields})}, of, () => undefined)
  t.match(await turn({status: 503, body: 'no'}), {kind: 'failed', status: 503, text: 'no'})
  t.match(await turn({status: 404}), {kind: 'unknown'})
  t.match(await turn({status: 200, body: '7'}), {kind: 'done', body: Buffer.from('7'), isError: false})
  t.match(await turn({abort: true}), {kind: 'lost', why: 'the connection was reset by a fault', wasSent: false})
  t.equal(await turn({cut: true}), undefined)
  t.equal(await turn({delay: '1ms'}), undefined, 'it goes on later')
  t.equal(await turn({abort: true}, journal('Order')), undefined, 'another type')
  t.equal(await turn({abort: true, from: 'till'}), undefined, 'another caller')
  t.equal(await faultedTurn(undefined, journal(), () => undefined), undefined)
})

t.test('a turn that a fault holds ends with its caller, or goes on when the fault is removed', async t => {
  const stops: (() => void)[] = []
  const left = faultedTurn({active: faultsOf({actor: 'Cart', never: true})}, journal(), stop => void stops.push(stop))
  for (const stop of stops) stop()
  t.match(await left, {kind: 'lost', wasSent: false})
  const faults = faultsOf({actor: 'Cart', never: true})
  const held = faultedTurn({active: faults}, journal(), () => undefined)
  faults.removeAll()
  t.equal(await held, undefined)
})
