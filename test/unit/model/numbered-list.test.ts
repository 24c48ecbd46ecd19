import t from 'tap'
import {NumberedList} from '../../../src/model/numbered-list.ts'

const listOf = (...ids: readonly number[]): NumberedList<{readonly id: number}> => {
  const list = new NumberedList<{readonly id: number}>()
  for (const id of ids) list.add({id})
  return list
}

const idsOf = (list: NumberedList<{readonly id: number}>): readonly number[] => list.all().map(({id}) => id)

t.test('things are found by their number, wherever they stand', async t => {
  const list = listOf(1, 3, 9, 11)
  t.equal(list.size, 4)
  for (const id of [1, 3, 9, 11]) t.equal(list.get(id)?.id, id)
  for (const id of [0, 2, 4, 10, 12]) t.equal(list.get(id), undefined)
  t.equal(listOf().get(1), undefined)
})

t.test('they go in any order, and only once', async t => {
  for (const [gone, left] of [
    [1, [3, 9, 11]],
    [9, [1, 3, 11]],
    [11, [1, 3, 9]],
    [2, [1, 3, 9, 11]],
    [12, [1, 3, 9, 11]]
  ] as const) {
    const list = listOf(1, 3, 9, 11)
    list.remove({id: gone})
    list.remove({id: gone})
    t.strictSame(idsOf(list), left)
  }
})

t.test('what is gone through may be removed', async t => {
  const list = listOf(1, 2, 3)
  for (const item of list.all()) list.remove(item)
  t.equal(list.size, 0)
})

t.test('it holds what a Map holds, after any adding and removing', async t => {
  const [list, map] = [listOf(), new Map<number, {readonly id: number}>()]
  for (let id = 1; id <= 2000; id++) {
    const item = {id}
    list.add(item)
    map.set(id, item)
    const old = [...map.keys()][(id * 31) % map.size] ?? 0
    if (map.size > 40) {
      list.remove({id: old})
      map.delete(old)
    }
  }
  t.strictSame(idsOf(list), [...map.keys()])
})
