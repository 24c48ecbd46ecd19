import {join} from 'node:path'
import t from 'tap'
import {resultOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForJavascript, installed} from './installed.ts'
import {component} from '../e2e/pubsub-shop.ts'

t.setTimeout(300_000)

t.test('Dapr’s server and client for JavaScript, unmodified: events, routes, many at once', async t => {
  const folder = await installed(t, daprForJavascript('3.18.0'))
  if (folder === undefined) return
  const rig = await openRig(t)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory')})
  const command = [process.execPath, join(import.meta.dirname, '../fixtures/clients/pubsub.mjs')]
  await rig.template([
    {appID: 'shop', autoPort: true, command, env: {CLIENT_FOLDER: folder}, resourcesPath: '../resources'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const result = async (name: string): Promise<unknown> => resultOf(run, name)
  t.same(await result('plain'), {apples: 3})
  t.same(await result('usual'), {apples: 4})
  t.same(await result('sold'), {apples: 5})
  t.match(await result('published'), {failedMessages: []})
  t.ok(await result('bulk'))
})
