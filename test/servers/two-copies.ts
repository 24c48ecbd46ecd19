import {setTimeout as pause} from 'node:timers/promises'
import type {Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import type {Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {publish, subscribed} from '../e2e/pubsub-shop.ts'

/** A copy of a shop, and its app, which is driven. */
export interface Copy {
  readonly name: string
  readonly run: Program
  readonly shop: Driven
}

/** Two worktrees, `main` and `pr`, of a shop with these components, by their names. */
export async function writeShop(
  rig: Rig,
  isolate: boolean,
  components: Readonly<Record<string, string>>
): Promise<void> {
  const app = {appID: 'shop', appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  const files = Object.entries(components).map(([name, text]) => [`resources/${name}.yaml`, text])
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, isolate, apps: [app]}),
    ...(Object.fromEntries(files) as Readonly<Record<string, string>>)
  })
}

/** Starts a copy; with these subscriptions, until it has all of them. */
export async function startCopy(rig: Rig, name: string, list: readonly object[]): Promise<Copy> {
  const run = rig.pillion(['up'], {folder: name})
  const shop = await rig.driven('shop')
  await shop.subscribe(list)
  await shop.listen()
  await subscribed(shop, list.length)
  // it is listed before it is read: until then RabbitMQ drops what is published
  while ((await shop.fetch('/v1.0/healthz')).status !== 204) await pause(10)
  return {name, run, shop}
}

/** The body of the answer to a request with this one. */
export const post = async ({shop}: Copy, path: string, body: unknown): Promise<string> =>
  (await shop.fetch(path, {method: 'POST', body: JSON.stringify(body)})).body

/** Keeps the name of each copy under one key. */
export async function remember(...copies: readonly Copy[]): Promise<void> {
  for (const copy of copies) await post(copy, '/v1.0/state/store', [{key: 'who', value: copy.name}])
}

/** What is kept under that key, as JSON. */
export const stateOf = async ({shop}: Copy): Promise<string> => (await shop.fetch('/v1.0/state/store/who')).body

/** What the line about shared data names, of the copy that has started last. */
export const told = async ({run}: Copy): Promise<string> => run.waitForLine('the same data', {stream: 'stderr'})

let published = 0

/** All that a copy has published to `bus/orders` comes back to it, once or more, and nothing of another copy does. */
export async function exchange(t: Test, ...copies: readonly Copy[]): Promise<void> {
  const counts = [++published, ++published, ++published]
  // not by turns, in which two readers of one queue would share it by chance
  for (const {name, shop} of copies)
    for (const count of counts) await publish(shop, 'bus/orders', JSON.stringify(`${name} ${count}`))
  for (const {name, shop} of copies) {
    const missing = new Set(counts.map(count => `${name} ${count}`))
    while (missing.size > 0) {
      const event = await shop.nextRequest()
      const {data} = JSON.parse(event.body) as {readonly data: string}
      t.match(data, new RegExp(`^${name} `))
      missing.delete(data)
      await event.reply({})
    }
  }
}
