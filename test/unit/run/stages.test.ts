import t from 'tap'
import {Stages, type Stage} from '../../../src/run/stages.ts'

const NEVER = new AbortController().signal

/** Stages that write down what is asked of them; these fail to start, those fail to stop. */
const writing = (names: readonly string[], failing: {start?: string; stop?: readonly string[]} = {}) => {
  const deeds: string[] = []
  const stages = names.map((name): Stage => ({
    name,
    start: async () => {
      await Promise.resolve()
      if (failing.start === name) throw new Error(`${name} is taken`)
      deeds.push(`+${name}`)
    },
    stop: async ({aborted}) => {
      await Promise.resolve()
      deeds.push(`-${name}${aborted ? ' at once' : ''}`)
      if (failing.stop?.includes(name)) throw new Error(`${name} hangs`)
    }
  }))
  return {stages, deeds}
}

t.test('stages start in order and stop in reverse, once', async t => {
  const {stages, deeds} = writing(['ports', 'logs', 'apps'])
  const all = new Stages()
  t.equal(await all.start(stages, NEVER), true)
  await all.stop(NEVER)
  await all.stop(NEVER)
  t.same(deeds, ['+ports', '+logs', '+apps', '-apps', '-logs', '-ports'])
})

t.test('when one fails to start, all before it are taken down at once, and its error is thrown', async t => {
  const {stages, deeds} = writing(['ports', 'logs', 'sidecars', 'apps'], {start: 'sidecars'})
  const all = new Stages()
  await t.rejects(all.start(stages, NEVER), {message: 'sidecars is taken'})
  t.same(deeds, ['+ports', '+logs', '-sidecars at once', '-logs at once', '-ports at once'])
  await all.stop(NEVER)
  t.equal(deeds.length, 5, 'nothing is left to stop')
})

t.test('an end meanwhile: no further stage starts, and those that did are left to be stopped', async t => {
  const over = new AbortController()
  const {stages, deeds} = writing(['ports', 'logs'])
  const all = new Stages()
  const asked = {name: 'asked', start: () => over.abort()}
  t.equal(await all.start([...stages, asked, {name: 'apps', start: () => t.fail('apps started')}], over.signal), false)
  await all.stop(NEVER)
  t.same(deeds, ['+ports', '+logs', '-logs', '-ports'])
})

t.test('an end that is asked for in the last stage counts, too', async t => {
  const over = new AbortController()
  t.equal(await new Stages().start([{name: 'apps', start: () => over.abort()}], over.signal), false)
})

t.test('each is stopped whatever becomes of the others; their errors come together', async t => {
  const {stages, deeds} = writing(['ports', 'logs', 'apps'], {stop: ['apps', 'logs']})
  const all = new Stages()
  await all.start(stages, NEVER)
  await t.rejects(all.stop(NEVER), {
    message: 'cannot stop apps',
    errors: [
      {message: 'cannot stop apps', cause: {message: 'apps hangs'}},
      {message: 'cannot stop logs', cause: {message: 'logs hangs'}}
    ]
  })
  t.same(deeds.slice(3), ['-apps', '-logs', '-ports'])
})

t.test('a start that fails keeps its error, also when taking down fails as well', async t => {
  const {stages} = writing(['ports', 'logs'], {start: 'logs', stop: ['ports']})
  await t.rejects(new Stages().start(stages, NEVER), {
    message: 'logs is taken',
    errors: [{message: 'logs is taken'}, {message: 'cannot stop ports'}]
  })
})
