import {setTimeout as pause} from 'node:timers/promises'
import type {Test} from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

export const component = (name: string, type: string, metadata: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: {name},
    spec: {type, version: 'v1', metadata: Object.entries(metadata).map(([key, value]) => ({name: key, value}))}
  })

export interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
}

/** An app that has listed these subscriptions and listens. */
export const openShop = async (
  t: Test,
  list: readonly object[],
  files: Readonly<Record<string, string>> = {},
  count = list.length
): Promise<Shop> => {
  const rig = await openRig(t)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory'), ...files})
  const configured = 'config.yaml' in files ? {configFilePath: '../config.yaml'} : {}
  const settings = {resourcesPath: '../resources', logLevel: 'debug', stop: {timeout: '500ms'}, ...configured}
  await rig.template([{appID: 'shop', autoPort: true, ...settings}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.subscribe(list)
  await shop.listen()
  await shop.configured // until then the sidecar shows topics of files that nothing reads yet: an event of these is lost
  await subscribed(shop, count)
  return {rig, run, shop}
}

/** Resolves when the sidecar has so many subscriptions. */
export const subscribed = async (shop: Driven, count: number): Promise<void> => {
  for (;;) {
    const {body} = await shop.fetch('/v1.0/metadata')
    const {subscriptions = []} = JSON.parse(body) as {readonly subscriptions?: readonly object[]}
    if (subscriptions.length === count) return
    await pause(10)
  }
}

export interface Event {
  readonly [field: string]: unknown
}

export const eventOf = ({body}: Request): Event => JSON.parse(body) as Event

export const publish = async (
  shop: Driven,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {'content-type': 'application/json'}
): Promise<void> => {
  const answer = await shop.fetch(`/v1.0/publish/${path}`, {method: 'POST', headers, body})
  if (answer.status !== 204 || answer.body !== '') throw new Error(`${path}: ${answer.status} ${answer.body}`)
}
