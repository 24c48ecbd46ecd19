import t from 'tap'
import {PartitionReader, type Record} from '../../../../src/dapr/components/kafka/partition-reader.ts'
import type {Handled} from '../../../../src/dapr/components/pubsub.ts'

t.test('a message that was returned is handled again, and holds up no later commit for ever', async t => {
  const over = new AbortController()
  const committed: number[] = []
  const given: string[] = []
  const outcomes = new Map<string, Handled[]>([['0', ['returned', 'returned', 'done']]])
  const reader = new PartitionReader({
    atOnce: 10,
    maxRetries: 0,
    retryMs: 1,
    handle: async ({value}) => outcomes.get(String(value))?.shift() ?? 'done',
    onHandled: () => undefined,
    gaveUp: ({value}) => void given.push(String(value)),
    over: over.signal
  })
  const record = (number: number): Record =>
    ({
      offset: BigInt(number),
      value: Buffer.from(number.toString()),
      commit: async () => void committed.push(number)
    }) as unknown as Record
  for (const number of [0, 1, 2]) reader.put(record(number))
  await reader.end()
  t.equal(committed.at(-1), 2)
  outcomes.set('3', ['failed', 'done'])
  reader.put(record(3))
  await reader.end()
  t.same(outcomes.get('3'), ['done'], 'what failed is not tried again where that is not wanted')
  t.same(given, ['3'], 'that it is dropped is said')
  outcomes.set('4', ['returned', 'done'])
  over.abort()
  reader.put(record(4))
  await reader.end()
  t.equal(committed.at(-1), 3)
})

t.test('what comes again before it is committed is handled once', async t => {
  const [handled, committed]: [number[], number[]] = [[], []]
  let left = 0
  const answer = Promise.withResolvers<Handled>()
  const reader = new PartitionReader({
    atOnce: 1,
    maxRetries: 0,
    retryMs: 1,
    handle: async ({offset}) => {
      handled.push(Number(offset))
      return answer.promise
    },
    onHandled: () => left--,
    gaveUp: () => undefined,
    over: new AbortController().signal
  })
  for (const number of [1, 2, 1, 2, 3]) {
    left++
    reader.put({offset: BigInt(number), commit: async () => void committed.push(number)} as unknown as Record)
  }
  answer.resolve('done')
  await reader.end()
  t.same([handled, committed.at(-1), left], [[1, 2, 3], 3, 0])
})
