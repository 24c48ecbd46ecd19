import {join} from 'node:path'
import t, {type Test} from 'tap'
import {resultOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'
import {daprForJavascript, daprForPython, installed} from './installed.ts'

t.setTimeout(300_000)

const CLIENTS = join(import.meta.dirname, '../fixtures/clients')

const JAVASCRIPT = daprForJavascript('3.18.0')

/** A run of a client and the server of Dapr's JavaScript SDK that it calls. */
const runOf = async (t: Test, command: readonly string[], env: Readonly<Record<string, string>>): Promise<Program> => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true, command: [process.execPath, join(CLIENTS, 'server.mjs')], env},
    {appID: 'shop', command, env, dependsOn: ['stock']}
  ])
  return rig.pillion(['run', '-f', '.'])
}

t.test('Dapr’s client and server for JavaScript, unmodified, over HTTP', async t => {
  const folder = await installed(t, JAVASCRIPT)
  if (folder === undefined) return
  const run = await runOf(t, [process.execPath, join(CLIENTS, 'client.mjs')], {CLIENT_FOLDER: folder})
  t.equal(await resultOf(run, 'health'), true)
  t.match(await resultOf(run, 'get'), {query: '/items?id=7', caller: 'shop'})
  t.match(await resultOf(run, 'post'), {body: '{"apples":3}', caller: 'shop'})
  t.match(await resultOf(run, 'header'), {a: 'b'})
  t.match(await resultOf(run, 'missing'), {error: /couldn't find service: stok/})
  await resultOf(run, 'set')
  t.match(await resultOf(run, 'metadata'), {id: 'shop', extended: {color: 'blue'}})
  t.match(await resultOf(run, 'state'), {error: /state store mystore is not found/})
  t.match(await resultOf(run, 'publish'), /pubsub mypubsub is not found/)
})

t.test('Dapr’s client for Python, unmodified, over HTTP', async t => {
  const folders = [await installed(t, JAVASCRIPT), await installed(t, daprForPython)]
  const [javascript, python] = folders
  if (javascript === undefined || python === undefined) return
  const env = {CLIENT_FOLDER: javascript, PYTHONPATH: python}
  const run = await runOf(t, ['python3', join(CLIENTS, 'client.py')], env)
  t.match(await resultOf(run, 'get'), {query: '/items?id=7', caller: 'shop'})
  t.match(await resultOf(run, 'post'), {body: '{"apples":3}', caller: 'shop'})
  t.match(await resultOf(run, 'header'), {a: 'b'})
  t.match(await resultOf(run, 'missing'), /couldn't find service: stok/)
})
