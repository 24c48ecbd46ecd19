import t, {type Test} from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import {loadAll, openShop, type Read} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`), ''].join('\n')

const TRACED = template('appID: shop', 'appID: traces, profiles: [tracing, all]', 'appID: admin, profiles: [admin]')

const read = async (test: Test, yaml: string, profiles?: readonly string[]): Promise<Read> =>
  loadAll(openShop(test, yaml), profiles && {profiles})

const ids = ({plan: {apps, leftOut = []}}: Read): readonly (readonly string[])[] => [
  apps.map(({id}) => id),
  leftOut.map(({id}) => id)
]

async function refusal(test: Test, yaml: string, profiles: readonly string[]): Promise<UserError> {
  try {
    await read(test, yaml, profiles)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the template was accepted')
}

t.test('an app with profiles is left out unless one of them is asked for', async t => {
  t.strictSame(ids(await read(t, TRACED, [])), [['shop'], ['traces', 'admin']])
  t.strictSame(ids(await read(t, TRACED, ['all'])), [['shop', 'traces'], ['admin']])
  t.strictSame(ids(await read(t, TRACED, ['tracing', 'admin'])), [['shop', 'traces', 'admin'], []])
  t.strictSame(ids(await read(t, TRACED)), [['shop', 'traces', 'admin'], []], 'without a run all apps are read')
  t.strictSame(ids(await read(t, template('appID: shop, profiles: []'), [])), [['shop'], []])
})

t.test('what needs an app of a profile says so, with its place', async t => {
  const yaml = template('appID: shop, dependsOn: {db: ready}', 'appID: db, profiles: [store, all]')
  const {mistakes, explanation} = await refusal(t, yaml, [])
  t.match(mistakes, [
    {
      code: 'needs-profile',
      message: 'app "shop" depends on "db", which starts only with --profile store or --profile all',
      hint: 'add the flag, or give shop the same profiles'
    }
  ])
  t.match(explanation, /^dapr\.yaml:3:57\n/)
  t.strictSame(ids(await read(t, yaml, ['all'])), [['shop', 'db'], []])
  const {findings} = await read(t, yaml)
  t.match(findings, [{code: 'needs-profile', severity: 'error'}])
  t.same((await read(t, yaml, ['all'])).findings, [])
})

t.test('apps of one profile may depend on each other', async t => {
  const yaml = template('appID: web', 'appID: shop, profiles: [a], dependsOn: [db]', 'appID: db, profiles: [a, b]')
  t.strictSame(ids(await read(t, yaml, [])), [['web'], ['shop', 'db']])
  t.same((await read(t, yaml)).findings, [])
  const other = yaml.replace('profiles: [a],', 'profiles: [a, c],')
  t.match(await refusal(t, other, ['c']), {message: /"shop" depends on "db"/})
  t.match((await read(t, other)).findings, [{code: 'needs-profile', severity: 'warning'}])
})

const twins = (one: string, other: string): string =>
  template(
    `appID: db, appPort: 5432, daprHTTPPort: 3500, command: [pg], profiles: ${one}`,
    `appID: db, appPort: 5432, daprHTTPPort: 3500, command: [mock], profiles: ${other}`
  )

t.test('apps of different profiles are alternatives: they may have the same id and ports', async t => {
  const codes = async (yaml: string, profiles?: readonly string[]): Promise<readonly string[]> =>
    (await read(t, yaml, profiles)).findings.map(({code}) => code)
  const all = ['duplicate-app-id', 'duplicate-port', 'duplicate-app-port']
  t.same(await codes(twins('[real]', '[mock]')), [])
  t.same(await codes(twins('[real]', '[mock]'), ['mock']), [])
  t.same((await codes(twins('[real]', '[mock]'), ['mock', 'real'])).toSorted(), all.toSorted())
  t.same((await codes(twins('[real, all]', '[all]'))).toSorted(), all.toSorted())
  t.same((await codes(twins('[]', '[mock]'))).toSorted(), all.toSorted())
})

t.test('a run without apps names a profile', async t => {
  const error = await refusal(t, template('appID: shop, profiles: [a]'), [])
  t.match(error, {message: 'No apps to run', explanation: 'Every app has profiles. Add one: --profile a'})
})

t.test('profiles are names', async t => {
  for (const wrong of ['x', '[""]', '["a,b"]', '[-x]', '{a: b}']) {
    const {mistakes} = await refusal(t, template(`appID: shop, profiles: ${wrong}`), [])
    t.match(mistakes, [{expected: /^expected a list of names/}], wrong)
  }
})
