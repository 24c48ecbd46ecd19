import t from 'tap'
import {EventStream, type RunEvent} from '../../../page/state/event-stream.ts'

t.test('what has arrived before the connection was made again is not taken twice, nor as the latest', async t => {
  const asked: number[] = []
  const taken: (number | undefined)[] = []
  const done = Promise.withResolvers<void>()
  const events: readonly (readonly RunEvent[])[] = [
    [1, 2, 3].map(id => ({id, type: 'app', data: {}})),
    [2, 3, 4].map(id => ({id, type: 'app', data: {}})),
    []
  ]
  const stream = new EventStream({
    open: async (_: string, after: number) => {
      const own = events[asked.push(after) - 1] ?? []
      if (own.length === 0) done.resolve()
      return (async function* (): AsyncGenerator<RunEvent, void> {
        yield* own
        await done.promise
      })()
    },
    onEvent: ({id}) => {
      taken.push(id)
      // a view opens, and wants events of another type, too
      if (taken.length === 1) stream.follow(['calls'])
      if (id === 4) stream.follow(['calls', 'lines'])
    },
    onOpen: () => undefined,
    onLost: () => undefined
  })
  stream.follow(['app'])
  await done.promise
  stream.end()
  t.strictSame(taken, [1, 2, 3, 4])
  t.strictSame(asked, [0, 1, 4])
})

t.test('the same types again change nothing; after an end or a loss they connect again', async t => {
  const cuts: (() => void)[] = []
  const lost = Promise.withResolvers<void>()
  const stream = new EventStream({
    open: async () => {
      const cut = Promise.withResolvers<void>()
      cuts.push(cut.resolve)
      return (async function* (): AsyncGenerator<RunEvent, void> {
        await cut.promise
        yield* []
      })()
    },
    onEvent: () => undefined,
    onOpen: () => undefined,
    onLost: () => lost.resolve()
  })
  stream.follow(['app', 'calls'])
  stream.follow(['app', 'calls'])
  t.equal(cuts.length, 1)
  stream.end()
  stream.follow(['app', 'calls'])
  t.equal(cuts.length, 2)
  cuts[1]?.()
  await lost.promise
  stream.follow(['app', 'calls'])
  t.equal(cuts.length, 3)
  stream.follow(['app'])
  t.equal(cuts.length, 4)
  stream.end()
})
