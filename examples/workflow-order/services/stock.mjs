import {serve} from './serve.mjs'

const shelf = new Map([['pen', 10], ['ink', 1]])

serve({
  reserve({item, count}) {
    const left = (shelf.get(item) ?? 0) - count
    if (left < 0) throw new Error(`not enough of ${item}`)
    shelf.set(item, left)
    console.log(`${count} × ${item} set aside, ${left} left`)
    return {left}
  },
  release({item, count}) {
    shelf.set(item, shelf.get(item) + count)
    console.log(`${count} × ${item} back on the shelf`)
    return {left: shelf.get(item)}
  }
})
