import {parseListed, readListed} from '../../src/dapr/sidecar/blocks/listed-subscriptions.ts'
import {messageOf} from '../../src/model/errors.ts'
import type {Random} from './random.ts'
import {mutated} from './script.ts'

/** So long one list may keep a run busy: the machine may be, too. */
const MOST_MS = 5000

const VALUES: readonly unknown[] = [
  'orders',
  '',
  '/orders',
  null,
  7,
  [],
  {},
  {rules: [{match: 'event.type == "a"', path: '/a'}], default: '/b'},
  {rules: [{match: `${'('.repeat(2000)}1${')'.repeat(2000)}`, path: '/a'}]},
  {rules: [{match: `event.data.matches("${'(a*)*'.repeat(30)}b")`, path: '/a'}]},
  {rules: Array.from({length: 200}, (_, n) => ({match: `event.type == "${n}"`, path: '/a'}))},
  {key: {toString: 1}},
  {enabled: true, maxMessagesCount: -1, maxAwaitDurationMs: 1e300},
  'x'.repeat(10_000),
  '\u001B[2J\u202E'
]
const KEYS = [
  'pubsubname',
  'topic',
  'route',
  'routes',
  'metadata',
  'bulkSubscribe',
  'deadLetterTopic',
  'TOPIC',
  '__proto__'
]

const right = (n: number): unknown => ({pubsubname: 'pubsub', topic: `topic${n}`, route: '/x'})

/** Thousands of subscriptions that an app lists. */
export function subscriptionList(random: Random): Buffer {
  const odd = (): unknown => Object.fromEntries(random.some(KEYS, 7).map(key => [key, random.pick(VALUES)]))
  const count = random.pick([1, 20, 5000])
  const text = Buffer.from(
    JSON.stringify(Array.from({length: count}, (_, n) => (random.oneIn(count > 100 ? 50 : 2) ? odd() : right(n))))
  )
  return random.oneIn(2) ? text : mutated(random, text, ['null', '[', '{"a":', '1e999', '"\\ud800"'])
}

/** Throws where it takes too long, or what is told is nothing for people. */
export async function readSubscriptions(bytes: Buffer): Promise<void> {
  const told: string[] = []
  const start = performance.now()
  try {
    await readListed(parseListed(bytes.toString()), text => void told.push(text))
  } catch (error) {
    told.push(messageOf(error))
  }
  const tookMs = performance.now() - start
  if (tookMs > MOST_MS) throw new Error(`a list took ${tookMs.toFixed()} ms`)
  const odd = told.find(text => text === '' || /\n\s+at /.test(text))
  if (odd !== undefined) throw new Error(`nothing for people: ${odd}`)
}
