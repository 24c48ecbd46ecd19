import t from 'tap'
import {CONTINUED_AS_NEW} from '../../../../src/work/workflow/status.ts'
import {answer, childOf, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

t.test('a purge leaves no child behind whose own child in another run it has removed', async t => {
  const house = await openHouse(t, undefined, {hasApp: app => app === 'shop'})
  const {workflows} = house
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 0, createChild: childOf('mid')}]))
  const router = {sourceAppID: '', targetAppID: 'bank'}
  await workflows.completeTurn('shop', answer('mid', [{id: 0, createChild: childOf('c-1'), router}]))
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'again', input: undefined}})
  // its parent begins anew meanwhile, and has no children any more
  house.purgeFar = async () => {
    await workflows.completeTurn('shop', answer('o-1', [end(CONTINUED_AS_NEW)]))
    return 1
  }
  t.equal(await workflows.purge('shop', 'o-1', {isRecursive: true, isForced: true}), 3)
  t.strictSame([workflows.find('shop', 'o-1'), workflows.find('shop', 'mid')], [undefined, undefined])
  house.close()
})

t.test('of a workflow that is gone meanwhile, or begun again, a purge removes what it has found', async t => {
  for (const [isForced, isAgain] of [
    [false, false],
    [false, true],
    [true, true]
  ] as const) {
    const house = await openHouse(t, undefined, {hasApp: app => app === 'shop'})
    const {workflows} = house
    workflows.connect('shop', new TestWorker())
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [{id: 0, createChild: childOf('mid')}]))
    const router = {sourceAppID: '', targetAppID: 'bank'}
    await workflows.completeTurn('shop', answer('mid', [{id: 0, createChild: childOf('c-1'), router}, end()]))
    await workflows.completeTurn('shop', answer('o-1', [end()]))
    const child = workflows.find('shop', 'mid')
    house.purgeFar = async () => {
      await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: false})
      if (isAgain) await workflows.start('shop', order())
      return 1
    }
    t.equal(await workflows.purge('shop', 'o-1', {isRecursive: true, isForced}), 2)
    t.equal(child && workflows.at(child.key), undefined)
    t.equal(workflows.find('shop', 'o-1')?.id, isAgain ? 'o-1' : undefined, 'the new one stays')
    house.close()
  }
})
