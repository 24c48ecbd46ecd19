import t from 'tap'
import {parseListed, readListed} from '../../../../../src/dapr/sidecar/blocks/listed-subscriptions.ts'

t.test('thousands of subscriptions are read, and each that cannot be used is named with its place', async t => {
  const odd: readonly unknown[] = [null, [], {topic: 'x'}, {pubsubname: 'p', topic: 7}, {pubsubname: 'p', topic: 'x'}]
  const told: string[] = []
  const list = Array.from({length: 5000}, (_, n) =>
    n % 1000 === 999 ? odd[(n - 999) / 1000] : {pubsubname: 'p', topic: `t${n}`, route: '/x'}
  )
  const read = await readListed(parseListed(JSON.stringify(list)), text => void told.push(text))
  t.equal(read.length, 4995)
  t.equal(read.at(-1)?.topic, 't4998')
  t.same(told.toSorted(), [
    'subscription 1999 of the app is no JSON object: it is left out',
    'subscription 2999 of the app has no pubsubname: it is left out',
    'subscription 3999 of the app has no topic: it is left out',
    'subscription 999 of the app is no JSON object: it is left out',
    'topic x has an empty routes. removing from subscriptions list'
  ])
  t.same(await readListed(parseListed('null'), () => undefined), [])
  t.throws(() => parseListed('{}'), {message: 'the list of subscriptions is no JSON array'})
})

t.test('a list is read whatever the values of its metadata are: it would be asked for again and again', async t => {
  const metadata = {text: 'a', number: 7, object: {toString: 1}}
  const list = [{pubsubname: 'p', topic: 't', route: '/x', metadata}]
  const [read] = await readListed(parseListed(JSON.stringify(list)), text => void t.fail(text))
  t.strictSame(read?.metadata, {text: 'a', number: '7', object: ''})
})
