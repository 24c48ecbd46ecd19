import {join} from 'node:path'
import t, {type Test} from 'tap'
import {ResourceStore} from '../../../../src/files/resources/resource-store.ts'
import type {ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'

const STORE = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.redis
  version: v1
  initTimeout: \${TIMEOUT:-3s}
  ignoreErrors: \${IGNORES:-true}
  metadata:
  - name: redisHost
    value: "\${HOST:?who}:\${PORT-6379}"
  - name: keyPrefix
    value: $\${KEPT}
  - name: redisPassword
    value: \${LIST}
  - name: redisUsername
    value: \${NOPE}
`

/** What an app has whose folder has this file. */
async function read(t: Test, variables?: Readonly<Record<string, string>>): Promise<ResourceSnapshot> {
  const folder = t.testdir({resources: {'store.yaml': STORE}})
  const store = new ResourceStore({
    env: {},
    cwd: folder,
    reporter: {warn: () => undefined},
    types: async () => () => undefined
  })
  const resources = {
    folders: [join(folder, 'resources')],
    configFile: '',
    defaultFolder: '',
    ...(variables && {variables})
  }
  return (await store.open({id: 'shop', resources})).snapshot
}

const valuesOf = ({components}: ResourceSnapshot): readonly string[] =>
  components[0]?.properties.map(({value}) => value) ?? []

t.test('variables are replaced in the values of resources, and nothing in them becomes a list', async t => {
  const snapshot = await read(t, {HOST: 'db', LIST: '[a, b]: # c', TIMEOUT: '1s', IGNORES: 'false'})
  t.match(snapshot.components, [{initTimeoutMs: 1000, ignoresErrors: false}])
  t.same(valuesOf(snapshot), ['db:6379', '${KEPT}', '[a, b]: # c', ''])
  t.match(snapshot.faults, [
    {severity: 'warning', message: 'the variable NOPE is not set: it is taken as empty', place: {line: 18, column: 12}}
  ])
  t.equal(snapshot.faults.length, 1)
  t.match(snapshot.references, [
    {written: '${TIMEOUT:-3s}', isReplaced: true, place: {line: 8, column: 16}},
    {},
    {},
    {},
    {}
  ])
})

t.test('a variable that must be set is a fault at its place, and refuses the run', async t => {
  const {faults} = await read(t, {LIST: '', NOPE: ''})
  t.match(faults, [
    {
      severity: 'error',
      isRefusal: true,
      message: 'the variable HOST is not set: who',
      place: {file: 'resources/store.yaml', line: 12, column: 13, source: '    value: "${HOST:?who}:${PORT-6379}"'}
    }
  ])
})

t.test('without interpolate: true all stays as it is', async t => {
  const snapshot = await read(t)
  t.same(valuesOf(snapshot), ['${HOST:?who}:${PORT-6379}', '$${KEPT}', '${LIST}', '${NOPE}'])
  t.match(snapshot.references[0], {isReplaced: false})
})
