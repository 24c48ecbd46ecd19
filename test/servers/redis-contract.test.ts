/** State, pub/sub, configuration and locks over HTTP: one table of cases, on the built-in Redis and on a real one; the same answers. */
import t, {type Test} from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {shown} from '../rig/redis-keys.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'
import {BLOCK_CASES, PUBSUB_CASES, type Step} from './redis-cases.ts'

const TOPICS = [
  {pubsubname: 'bus', topic: 'orders', route: '/orders', deadLetterTopic: 'dead'},
  {pubsubname: 'bus', topic: 'dead', route: '/dead'},
  {pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: {rawPayload: 'true'}},
  {pubsubname: 'bus', topic: 'ruled', routes: {rules: [{match: 'event.data.n > 5', path: '/many'}], default: '/few'}},
  {
    pubsubname: 'bus',
    topic: 'bulk',
    route: '/bulk',
    bulkSubscribe: {enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 60_000}
  }
]

/** What differs from run to run; and only redis-server names the script whose command it has refused. */
const plain = (text: string, port: number): string =>
  text
    .replaceAll(port.toString(), '<port>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]/g, '<trace>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
    .replaceAll(/\d{13}-\d+/g, '<entry>')
    .replaceAll(/ script: [0-9a-f]{40}, on @user_script:\d+\./g, '')

/** Performs the steps, and returns what was answered. */
async function perform(t: Test, steps: readonly Step[], port: number): Promise<readonly string[]> {
  const rig = await openRig(t)
  const metadata = {redisHost: `localhost:${port}`}
  const types = {store: 'state', bus: 'pubsub', settings: 'configuration', locks: 'lock'}
  await rig.write(
    Object.fromEntries(
      Object.entries(types).map(([name, block]) => [
        `resources/${name}.yaml`,
        component(name, `${block}.redis`, {...metadata, ...(block === 'pubsub' && {concurrency: '1'})})
      ])
    )
  )
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.subscribe(TOPICS)
  await shop.listen()
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  const seen: string[] = []
  for (const step of steps) {
    const [name, answer, expected] = await performStep(step, shop, redis)
    const text = plain(answer, port)
    t.match(text, expected, name)
    seen.push(`${name} → ${text}`)
  }
  return seen
}

async function performStep(
  step: Step,
  shop: Driven,
  redis: ClientConnection
): Promise<readonly [name: string, answer: string, expected: RegExp]> {
  switch (step.kind) {
    case 'redis': {
      const reply = await redis.command(step.args).then(shown, String)
      const isTime = step.args[0] === 'TTL' && Number(reply) > 0
      return [`redis ${step.args.join(' ')}`, isTime ? 'some seconds' : JSON.stringify(reply), step.expected]
    }
    case 'event': {
      const request = await shop.nextRequest()
      await request.reply(step.reply)
      return ['event', eventText(request), step.expected]
    }
    case 'until':
      for (;;) {
        const {status, body} = await shop.fetch(step.path)
        if (step.expected.test(`${status} ${body}`)) return [`until ${step.path}`, '', /^/]
      }
    case 'call': {
      const {method, path, body, headers} = step
      const answer = await shop.fetch(path, {method, headers, ...(body !== undefined && {body})})
      const {etag = '', 'content-type': type = ''} = answer.headers
      return [
        `${method} ${path} ${body ?? ''}`,
        `${answer.status} ${type} ${etag} ${answer.body}`.replaceAll(/ +/g, ' ').trim(),
        step.expected
      ]
    }
  }
}

const eventText = ({method, url, headers, body}: Request): string =>
  `${method} ${url} ${headers['content-type'] ?? ''} ${headers['pubsubname'] ?? ''} ${headers['key'] ?? ''} ${body}`

const tables = {'state, configuration, locks': BLOCK_CASES, 'pub/sub': PUBSUB_CASES}
for (const [name, steps] of Object.entries(tables)) {
  const answers = new Map<string, readonly string[]>()
  t.test(`${name} on the built-in Redis`, async t => {
    answers.set('built-in', await perform(t, steps, await freePort()))
  })
  t.test(`${name} on redis-server: the same answers`, {skip: skipWithoutRedis}, async t => {
    const {port} = await realRedis(t)
    t.same(await perform(t, steps, port), answers.get('built-in'))
  })
}
