import t from 'tap'
import {causeOf} from '../../../../src/dapr/components/daprd/daprd-access.ts'

const CASES: readonly (readonly [text: string, cause: string])[] = [
  ['fail to get a: b from state store s: no: such', 'no: such'],
  [
    'failed saving state in state store s: possible etag mismatch. error from state store: x',
    'possible etag mismatch. error from state store: x'
  ],
  ['failed deleting state with key a, b: invalid etag value: x', 'invalid etag value: x'],
  ['error while executing state transaction: x', 'x'],
  ['error when publish to topic a in pubsub p: x', 'x'],
  ['error when publishing to topic a in pubsub p: x', 'x'],
  ['failed getting secret with key a from secret store s: secret a not found', 'secret a not found'],
  ['failed getting secrets from secret store s: x', 'x'],
  ['failed to get [a b] from Configuration store s: x', 'x'],
  ['failed to try acquiring lock: x', 'x'],
  [
    'error invoking output binding b: binding b does not support operation o. supported operations:x',
    'binding b does not support operation o. supported operations:x'
  ],
  ['something else: x', 'something else: x']
]

t.test('what a component says is told without what daprd says of the call', async t => {
  for (const [text, cause] of CASES) t.equal(causeOf(new Error(text)), cause)
})
