import t from 'tap'
import {movedText, movedTogether, namesThisMachine} from '../../../src/model/moved-ports.ts'

const MOVED = new Map([
  [5432, 25432],
  [6379, 26379]
])

t.test('an address of this machine in any spelling gets the number of the copy', async t => {
  for (const [text, now] of [
    ['localhost:6379', 'localhost:26379'],
    ['localhost:6379,127.0.0.1:6379', 'localhost:26379,127.0.0.1:26379'],
    ['redis://:pw@localhost:6379/0', 'redis://:pw@localhost:26379/0'],
    ['http://web.localhost:6379/x', 'http://web.localhost:26379/x'],
    ['127.0.1.1:6379', '127.0.1.1:26379'],
    ['tcp(127.0.0.1:5432)/shop', 'tcp(127.0.0.1:25432)/shop'],
    ['jdbc:postgresql://[::1]:5432/shop', 'jdbc:postgresql://[::1]:25432/shop'],
    ['host=localhost port=5432 user=me', 'host=localhost port=25432 user=me'],
    ["host='127.0.0.1' port = 5432", "host='127.0.0.1' port = 25432"],
    ['Server=localhost,5432;Database=shop', 'Server=localhost,25432;Database=shop'],
    ['Host=localhost;Port=5432;Database=shop', 'Host=localhost;Port=25432;Database=shop']
  ] as const)
    t.equal(movedText(text, MOVED), now)
})

t.test('another machine, and a number that is no port, stay', async t => {
  for (const text of [
    'db.example:5432',
    'mylocalhost:5432',
    'mylocalhost,5432',
    'localhost.example:5432',
    'host=db.example port=5432 user=me',
    'Server=db.example;Port=5432',
    'postgres://db.example:5432/shop?application_name=x',
    'localhost:54320',
    'localhost:543',
    'orders 5432',
    '5432'
  ])
    t.equal(movedText(text, MOVED), text)
})

const pair = (host: string, port = '6379') => [
  {name: 'redisHost', value: host},
  {name: 'redisPort', value: port},
  {name: 'maxRetries', value: '6379'}
]

t.test('a number alone belongs to the host that is named with it', async t => {
  t.same(movedTogether(pair('localhost'), MOVED), pair('localhost', '26379'))
  t.same(movedTogether(pair(''), MOVED), pair('', '26379'))
  t.same(movedTogether(pair('cache.example'), MOVED), pair('cache.example'))
  const checked = {name: 'verifyHostKeys', value: 'true'}
  t.same(movedTogether([...pair('localhost'), checked], MOVED), [...pair('localhost', '26379'), checked])
  const alone = [{name: 'redisHost', value: 'cache.example:6379,localhost:6379'}]
  t.same(movedTogether(alone, MOVED), [{name: 'redisHost', value: 'cache.example:6379,localhost:26379'}])
})

t.test('a word of 100,000 letters is read in linear time', async t => {
  for (const word of ['a', 'a.', 'a-', '-p', 'PORT', '127.0.', 'host ', '-Da']) {
    const text = word.repeat(100_000)
    const begin = performance.now()
    t.equal(movedText(text, MOVED), text)
    namesThisMachine(text)
    t.ok(performance.now() - begin < 5000, word)
  }
})
