import t from 'tap'
import {Mirror, type CopyOf, type Shadow} from '../../../src/net/mirror.ts'

const call: CopyOf = {method: 'POST', path: '/weigh', headFor: () => ''}

/** A shadow that is down: it tells that a copy has come so far. */
const scene = () => {
  const warnings: string[] = []
  let asked = 0
  const shadow: Shadow = {
    name: 'scales 2.0.0',
    admit: async () => {
      asked++
      return 'it is down'
    }
  }
  return {mirror: new Mirror(text => warnings.push(text)), shadow, warnings, asked: () => asked}
}

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('a copy leaves once, when the body is whole and the caller has his answer, in whatever order', async t => {
  const {mirror, shadow, asked} = scene()
  const early = mirror.copy(call, [shadow])
  early.answered()
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
  late.answered()
  await turn()
  t.equal(asked(), 3, 'one for each shadow')
})

t.test('what a caller left is not sent, but for the rest of a body whose answer he has', async t => {
  const {mirror, shadow, asked} = scene()
  const left = mirror.copy(call, [shadow])
  left.whole()
  left.gone()
  left.answered()
  const cut = mirror.copy(call, [shadow])
  cut.answered()
  cut.drop()
  cut.whole()
  await turn()
  t.equal(asked(), 0)
  const answered = mirror.copy(call, [shadow])
  answered.answered()
  answered.gone()
  answered.whole()
  await turn()
  t.equal(asked(), 1)
})

t.test('bodies that were dropped or sent make room for others; what is too much is told', async t => {
  const {mirror, shadow, warnings, asked} = scene()
  const large = Buffer.alloc(60 * 1024 * 1024)
  for (let i = 0; i < 10; i++) {
    const dropped = mirror.copy(call, [shadow])
    dropped.take(large)
    dropped.drop()
    const sent = mirror.copy(call, [shadow])
    sent.take(large)
    sent.whole()
    sent.answered()
    await turn()
  }
  t.equal(asked(), 10)
  t.same(warnings, ['copies of calls do not reach scales 2.0.0: it is down'])
  const held = Array.from({length: 5}, () => mirror.copy(call, [shadow]))
  for (const each of held) each.take(large)
  t.equal(warnings.length, 2)
  t.match(warnings[1], /^POST \/weigh was not copied to scales 2\.0\.0: its body is too large$/)
})
