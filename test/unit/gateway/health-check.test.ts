import t from 'tap'
import {Health} from '../../../src/gateway/health-check.ts'

/** Looks that are answered as written; verdicts as they come, a dot for each interval that is waited. */
async function followed(answers: string, threshold = 3): Promise<string> {
  const verdicts: string[] = []
  const {promise, resolve} = Promise.withResolvers<void>()
  let at = 0
  const health = new Health({
    plan: {enabled: true, path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold},
    port: () => 1,
    look: async () => answers[at++] === '+',
    turned: isHealthy => verdicts.push(isHealthy ? 'well' : 'ill'),
    wait: async () => {
      verdicts.push('.')
      if (at < answers.length) return
      health.end()
      resolve()
    }
  })
  health.begin()
  await promise
  return verdicts.join('')
}

t.test('the first look decides at once', async t => {
  t.equal(await followed('+'), 'well.')
  t.equal(await followed('-'), 'ill.')
})

t.test('it takes as many bad answers in a row as the threshold says, and one good one', async t => {
  t.equal(await followed('+---+'), 'well...ill.well.')
  t.equal(await followed('+--+--'), 'well......')
  t.equal(await followed('+-+', 1), 'well.ill.well.')
})

t.test('a verdict of an app that is not ready any more is not told', async t => {
  const {promise, resolve} = Promise.withResolvers<boolean>()
  let isTold = false
  const health = new Health({
    plan: {enabled: true, path: '/', intervalMs: 1, timeoutMs: 1, threshold: 1},
    port: () => 1,
    look: async () => promise,
    turned: () => (isTold = true)
  })
  health.begin()
  health.end()
  resolve(true)
  await promise
  await new Promise(setImmediate)
  t.equal(isTold, false)
})
