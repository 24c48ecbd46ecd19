import t from 'tap'
import {Mirror, type Shadow} from '../../../../src/proxy/net/mirror.ts'
import type {CopyOf} from '../../../../src/proxy/net/shadow-delivery.ts'

const call: CopyOf = {caller: 'shop', method: 'POST', path: '/weigh', headFor: () => ''}

/** A shadow that is down: it shows that a copy was sent. */
const scene = () => {
  const warnings: string[] = []
  let asked = 0
  const shadow: Shadow = {
    name: 'scales 2.0.0',
    callee: 'scales@2.0.0',
    admit: async () => {
      asked++
      return 'it is down'
    }
  }
  return {mirror: new Mirror(text => warnings.push(text)), shadow, warnings, asked: () => asked}
}

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('a copy is sent once, when the body is complete and the caller has its response, in either order', async t => {
  const {mirror, shadow, asked} = scene()
  const early = mirror.copy(call, [shadow])
  early.responded()
  await turn()
  t.equal(asked(), 0, 'the body is not whole')
  early.whole()
  early.whole()
  await turn()
  t.equal(asked(), 1)
  const late = mirror.copy(call, [shadow, shadow])
  late.whole()
  await turn()
  t.equal(asked(), 1, 'the caller has no answer')
  late.responded()
  await turn()
  t.equal(asked(), 3, 'one for each shadow')
})

t.test('nothing is sent for a caller that disconnected, unless it already has its response', async t => {
  const {mirror, shadow, asked} = scene()
  const left = mirror.copy(call, [shadow])
  left.whole()
  left.gone()
  left.responded()
  const cut = mirror.copy(call, [shadow])
  cut.responded()
  cut.drop()
  cut.whole()
  await turn()
  t.equal(asked(), 0)
  const answered = mirror.copy(call, [shadow])
  answered.responded()
  answered.gone()
  answered.whole()
  await turn()
  t.equal(asked(), 1)
})

t.test('dropped and sent bodies free their space; a body over the limit is reported', async t => {
  const {mirror, shadow, warnings, asked} = scene()
  const large = Buffer.alloc(60 * 1024 * 1024)
  for (let i = 0; i < 10; i++) {
    const dropped = mirror.copy(call, [shadow])
    dropped.take(large)
    dropped.drop()
    const sent = mirror.copy(call, [shadow])
    sent.take(large)
    sent.whole()
    sent.responded()
    await turn()
  }
  t.equal(asked(), 10)
  t.same(warnings, ['copies of calls do not reach scales 2.0.0: it is down'])
  const held = Array.from({length: 5}, () => mirror.copy(call, [shadow]))
  for (const each of held) each.take(large)
  t.equal(warnings.length, 2)
  t.match(warnings[1], /^POST \/weigh was not mirrored to scales 2\.0\.0: its body is too large$/)
})

t.test('a copy counts from the moment at which it is asked for until it is over', async t => {
  const {mirror, shadow} = scene()
  t.same(mirror.copies, {begun: 0, open: 0})
  const copy = mirror.copy(call, [shadow, shadow])
  copy.whole()
  t.same(mirror.copies, {begun: 0, open: 0}, 'the call itself is not over')
  copy.responded()
  t.same(mirror.copies, {begun: 2, open: 2})
  await turn()
  t.same(mirror.copies, {begun: 2, open: 0})
})
