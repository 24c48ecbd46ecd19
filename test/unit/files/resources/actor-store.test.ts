import t from 'tap'
import {isActorStore, readComponents} from '../../../../src/files/resources/components.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'

const isMarked = (type: string, metadata: string): boolean[] => {
  const text = `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: c}\nspec: {type: ${type}, version: v1, metadata: [${metadata}]}\n`
  return readComponents(parseResourceFile({file: 'c.yaml', text}), () => undefined).map(isActorStore)
}

t.test('the store of actors is a state store that says so', async t => {
  t.strictSame(isMarked('state.redis', '{name: actorStateStore, value: "true"}'), [true])
  t.strictSame(isMarked('state.in-memory', '{name: ActorStateStore, value: true}'), [true])
  t.strictSame(isMarked('state.redis', '{name: actorStateStore, value: "false"}'), [false])
  t.strictSame(isMarked('state.redis', ''), [false])
  t.strictSame(isMarked('pubsub.redis', '{name: actorStateStore, value: "true"}'), [false])
})
