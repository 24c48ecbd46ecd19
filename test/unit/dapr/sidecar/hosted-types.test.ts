import t from 'tap'
import {hostedTypes, USUAL_SETTINGS} from '../../../../src/dapr/sidecar/hosted-types.ts'

const hosted = (configuration: unknown, warnings: string[] = []) =>
  Object.fromEntries(hostedTypes(JSON.stringify(configuration), text => void warnings.push(text)))

t.test('the types that an app hosts, and their settings; keys count in any capitals, as Go reads JSON', async t => {
  const cart = {...USUAL_SETTINGS, idleMs: 60_000, isReentrant: true, maxDepth: 3}
  const reentrancy = {enabled: true, maxStackDepth: 3}
  t.strictSame(hosted({entities: ['Cart'], actorIdleTimeout: '1m', reentrancy}), {Cart: cart})
  t.strictSame(
    hosted({
      Entities: ['Cart', 'Order'],
      ActorIdleTimeout: '1m',
      Reentrancy: {Enabled: true, MaxStackDepth: 3},
      EntitiesConfig: [{Entities: ['Order'], DrainRebalancedActors: false}]
    }),
    {Cart: cart, Order: {...USUAL_SETTINGS, drains: false}}
  )
})

t.test('what is no configuration names no types, and what has no effect is said', async t => {
  const warnings: string[] = []
  for (const none of [null, [], 1, 'entities', {}, {entities: null}, {entities: 'Cart'}, {entities: [1, '']}])
    t.strictSame(hosted(none, warnings), {}, JSON.stringify(none))
  t.strictSame(warnings, [])
  t.strictSame(Object.keys(hosted({entities: ['Cart'], entitiesConfig: [null, 1]}, warnings)), ['Cart'])
  t.strictSame(warnings, [])
  hosted({entities: ['Cart'], RemindersStoragePartitions: 2}, warnings)
  t.match(warnings, [/remindersStoragePartitions has no effect/])
})
