import {Random} from '../../fuzz/random.ts'
import type {EventAnswer} from '../../../src/dapr/sidecar/blocks/event-channel.ts'
import type {TopicSubscription} from '../../../src/files/resources/subscriptions.ts'
import type {WalkStep} from '../walks.ts'
import type {Manner} from './broker.ts'
import {House, type Request} from './house.ts'
import {policiesOf, POLICIES} from './policies.ts'
import {DEAD_LETTERS, STREAMED} from './witness.ts'

/** A step makes no sense as things are. */
export class NoSense extends Error {}

function oneOf<T>(random: Random, all: readonly T[]): T {
  if (all.length === 0) throw new NoSense()
  return random.pick(all)
}

const PASSES = [1, 60, 500, 1100, 5000, 30_000] as const
const MANNERS: readonly Manner[] = ['plain', 'keeps', 'follows']
const ANSWERS: readonly EventAnswer[] = [
  {kind: 'success'},
  {kind: 'success'},
  {kind: 'success'},
  {kind: 'failed', status: 500, text: 'no'},
  {kind: 'failed', status: 0, text: 'RETRY'},
  {kind: 'drop'},
  {kind: 'unknown', status: 404, text: ''}
]

let version = 0

const subscription = (topic: string, path: string, isBulk: boolean): TopicSubscription => ({
  pubsubName: 'bus',
  topic,
  metadata: {},
  rules: [{match: '', path, fits: () => true}],
  deadLetterTopic: DEAD_LETTERS[topic] ?? '',
  bulk: isBulk ? {maxMessages: 3, maxAwaitMs: 50} : undefined
})

/** What a process reads: most read all. */
export function topicsOf(random: Random): readonly TopicSubscription[] {
  const number = ++version
  return ['a', 'b'].flatMap(topic =>
    random.oneIn(6) ? [] : [subscription(topic, `/${topic}-${number}`, random.oneIn(3))]
  )
}

function answer(request: Request, random: Random): void {
  const answers = request.ids.map(() => random.pick(ANSWERS))
  request.end(
    answers,
    answers.map(({kind}) => kind)
  )
}

export function answerAll(house: House): void {
  for (const request of house.requests)
    request.end(
      request.ids.map(() => ({kind: 'success'})),
      request.ids.map(() => 'success')
    )
  for (const stream of house.streams) {
    stream.slow(false)
    for (const id of stream.hand) stream.answer(id, 0)
  }
}

type Do = (house: House, random: Random) => unknown

/** Each kind of step, and how often it comes. */
export const KINDS: Readonly<Record<string, readonly [weight: number, act: Do]>> = {
  publish: [
    24,
    (house, random) => {
      const {server} = house
      if (server === undefined) throw new NoSense()
      const topic = random.pick(['a', 'a', 'b', 'c', STREAMED])
      for (let left = 1 + random.below(3); left > 0; left--) house.publish(server, topic)
    }
  ],
  'take back': [
    6,
    (house, random) => {
      const readers = house.servers.flatMap(({components}) => [...components].flatMap(each => [...each.readers]))
      oneOf(random, readers).takeBack()
    }
  ],
  answer: [20, (house, random) => answer(oneOf(random, house.requests), random)],
  'answer all': [5, house => answerAll(house)],
  pass: [14, async (house, random) => house.pass(random.pick(PASSES))],
  say: [10, (house, random) => house.say(oneOf(random, house.listings))],
  start: [
    10,
    (house, random) => {
      if (house.process !== undefined || house.isAsleep) throw new NoSense()
      house.start(topicsOf(random), random.oneIn(8))
    }
  ],
  ready: [
    12,
    house => {
      if (house.process === undefined || house.isListening) throw new NoSense()
      house.ready()
    }
  ],
  crash: [
    4,
    house => {
      if (house.process === undefined) throw new NoSense()
      house.end(true)
    }
  ],
  save: [
    5,
    house => {
      if (!house.isListening || !house.queue.isOpen) throw new NoSense()
      house.pause()
    }
  ],
  replace: [
    6,
    async (house, random) => {
      if (!house.isListening || house.queue.isOpen || house.queue.state !== 'open') throw new NoSense()
      house.end(false)
      await new Promise(setImmediate)
      house.start(topicsOf(random), random.oneIn(8))
    }
  ],
  promote: [
    2,
    async (house, random) => {
      if (!house.isListening || !house.queue.isOpen) throw new NoSense()
      const before = house.process?.pid
      house.promote(topicsOf(random))
      await new Promise(setImmediate)
      if (random.oneIn(2)) house.cut(before, false)
    }
  ],
  sleep: [
    4,
    async house => {
      if (!house.isListening || !house.queue.isOpen) throw new NoSense()
      await house.sleep()
    }
  ],
  ill: [
    2,
    house => {
      if (!house.isListening || house.queue.state !== 'open') throw new NoSense()
      house.queue.shut('it is not healthy')
      house.move()
    }
  ],
  well: [
    3,
    house => {
      if (!house.isListening || house.queue.state === 'open') throw new NoSense()
      house.ready()
    }
  ],
  component: [
    5,
    (house, random) => {
      const at = random.oneIn(4) ? 1 : 0
      house.components = random.oneIn(8) ? [] : [house.component(at, random.pick(MANNERS), random.oneIn(8))]
      house.change()
    }
  ],
  file: [
    4,
    (house, random) => {
      house.files = random.oneIn(4) ? [] : [subscription('c', `/file-${++version}`, random.oneIn(3))]
      house.change()
    }
  ],
  policies: [
    3,
    (house, random) => {
      const name = random.pick(POLICIES)
      house.policies = policiesOf(name, house.clock.clock())
      house.witness.mayRefuse ||= name === 'breaker'
    }
  ],
  'open a stream': [
    4,
    house => {
      if (!house.isListening || house.streams.length > 2) throw new NoSense()
      house.openStream()
    }
  ],
  'answer a stream': [
    8,
    (house, random) => {
      const stream = oneOf(
        random,
        house.streams.filter(({hand}) => hand.length > 0)
      )
      stream.answer(oneOf(random, stream.hand), random.pick([0, 0, 0, 1, 2] as const))
    }
  ],
  'close a stream': [
    3,
    (house, random) => {
      const stream = oneOf(random, house.streams)
      if (random.oneIn(2)) stream.halfClose()
      else stream.leave()
    }
  ],
  'slow stream': [
    2,
    (house, random) => {
      const stream = oneOf(random, house.streams)
      stream.slow(!stream.isSlow)
    }
  ]
}

const WEIGHTED = Object.entries(KINDS).flatMap(([kind, [weight]]) => Array.from({length: weight}, () => kind))

/** The steps of a seed. */
export function deliveryWalk(seed: number, steps: number): readonly WalkStep[] {
  const random = new Random('deliveries', seed)
  return Array.from({length: steps}, () => ({
    kind: random.pick(WEIGHTED),
    a: random.below(1000),
    b: random.below(1000),
    isHurried: random.oneIn(4)
  }))
}
