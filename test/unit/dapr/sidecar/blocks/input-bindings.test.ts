import t from 'tap'
import type {BindingChannel} from '../../../../../src/dapr/sidecar/blocks/binding-channel.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {Bindings} from '../../../../../src/dapr/sidecar/blocks/bindings.ts'
import {InputBindings} from '../../../../../src/dapr/sidecar/blocks/input-bindings.ts'
import type {State} from '../../../../../src/dapr/sidecar/blocks/state.ts'

t.test('a binding whose server does not answer keeps no other one from being read', async t => {
  const answers = Promise.withResolvers<void>()
  const read: string[] = []
  const component = (name: string): object => ({
    input: {
      read: async () => {
        if (name === 'slow') await answers.promise
        read.push(name)
        return {stop: async () => Promise.resolve(read.push(`${name} stops`))}
      }
    }
  })
  const context = {
    components: {find: async (_: unknown, name: string) => ({component: component(name)})},
    log: {write: (_: string, text: string) => t.fail(text)}
  }
  const bindings = new InputBindings(context as unknown as BlockContext, {
    bindings: {} as Bindings,
    state: {} as State
  })
  const wanted = ['slow', 'quick'].map(name => ({name, route: name}))
  const following = bindings.follow(wanted, {} as BindingChannel)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.strictSame(read, ['quick'])
  answers.resolve()
  await following
  await bindings.close()
  t.strictSame(read.slice(1).toSorted(), ['quick stops', 'slow', 'slow stops'])
})
