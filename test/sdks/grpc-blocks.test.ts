import {join} from 'node:path'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForPython, installed} from './installed.ts'

const SCRIPT = join(import.meta.dirname, '../fixtures/sdks/blocks.py')

t.test('Dapr’s SDK for Python over gRPC: state with etags, options and transactions; secrets', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const rig = await openRig(t)
  await rig.write({
    'shop/secrets.json': '{"plain":"pear","nested":{"deep":"plum"}}',
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'resources/store.yaml': component('store', 'state.sqlite', {connectionString: 'data.db'})
  })
  await rig.template([
    {appID: 'shop', command: ['python3', SCRIPT], resourcesPath: '../resources', env: {PYTHONPATH: folder}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const told = await resultsOf(run)
  t.match(told, {
    read: 'pear',
    none: '',
    bytes: [0, 255, 10],
    'old-etag': {code: 'ABORTED', message: /possible etag mismatch/},
    'first-write': {code: 'ABORTED'},
    bulk: [
      ['a', '1'],
      ['none', ''],
      ['b', '2']
    ],
    transaction: ['3', ''],
    deleted: '',
    json: {code: 'UNKNOWN', message: 'unexpected end of JSON input'},
    'unknown-store': {code: 'INVALID_ARGUMENT', message: 'state store stor is not found (did you mean store?)'},
    illegal: {code: 'INVALID_ARGUMENT', message: /input key\/keyPrefix 'a\|\|b' can't contain '\|\|'/},
    secret: {plain: 'pear'},
    secrets: {plain: {plain: 'pear'}, 'nested:deep': {'nested:deep': 'plum'}},
    'no-secret': {code: 'INTERNAL', message: /secret none not found/}
  })
})
