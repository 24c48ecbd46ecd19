import t from 'tap'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {whyOf} from '../../../../src/observe/api/why.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'

t.test('each version of an app has the hint about its own port', async t => {
  const versions = ['1.0.0', '2.0.0'].map(version => ({
    id: 'hello',
    version,
    name: 'hello',
    availability: 'waiting',
    reason: 'it is starting',
    waiting: 0
  }))
  const facts = {
    apps: () => versions,
    leftOut: () => [],
    deaths: undefined,
    recorder: {spans: undefined},
    portHint: async (home: string) => Promise.resolve(home === 'hello@2.0.0' ? 'it listens on port 9000' : ''),
    work: {openWorkflows: () => undefined}
  } as unknown as RunFacts
  const {instances} = await whyOf(facts, {id: 'hello', version: '*'}, new Masking())
  t.same(
    instances.map(({reason}) => reason),
    ['it is starting', 'it is starting: it listens on port 9000']
  )
})
