import t from 'tap'
import {answer, end, openHouse, order} from '../rig/workflow-house.ts'

t.setTimeout(120_000)

t.test('a history of 100,000 events, of an id and with events of 1,000 letters', async t => {
  const {workflows, close} = await openHouse(t)
  const id = 'i'.repeat(1000)
  await workflows.start('shop', order(id))
  const sizes: number[] = []
  const send = (item: Uint8Array): void => void sizes.push(item.length)
  workflows.connect('shop', {limit: Infinity, home: 'shop', send})
  const raise = async (name: string): Promise<unknown> =>
    workflows.tell('shop', id, 'event', {eventRaised: {name, input: undefined}})
  for (let turn = 0; turn < 10; turn++) {
    await raise('n'.repeat(1000))
    await Promise.all(Array.from({length: 10_000}, async () => raise('more')))
    await workflows.completeTurn('shop', answer(id))
  }
  t.equal(sizes.length, 11)
  t.ok(
    sizes.every((size, at) => at === 0 || size > (sizes[at - 1] ?? 0) + 100_000),
    'the worker gets all of them'
  )
  await workflows.completeTurn('shop', answer(id, [end()]))
  t.match(workflows.find('shop', id), {status: 1, turns: 11})
  close()
})
