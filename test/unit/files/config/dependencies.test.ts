import t from 'tap'
import {failure, load} from './shop.ts'

const BEFORE = 'Error getting apps from config file: '

/** A template of apps by id, each with what it says of `dependsOn`. */
const template = (apps: Readonly<Record<string, string>>, common = ''): string =>
  [
    'version: 1',
    `common: {${common}}`,
    'apps:',
    ...Object.entries(apps).map(([id, on]) => `  - {appID: ${id}, appDirPath: ./orders, dependsOn: ${on}}`)
  ].join('\n')

const dependenciesIn = (test: Parameters<typeof load>[0], yaml: string): readonly (readonly string[])[] =>
  load(test, yaml).plan.apps.map(({dependsOn}) => dependsOn.map(({id, until}) => `${id} ${until}`))

t.test('a list waits until apps are ready, a map says for what', async t => {
  t.strictSame(dependenciesIn(t, template({a: '[b, c]', b: '{c: completed, d: started}', c: '~', d: '[]'})), [
    ['b ready', 'c ready'],
    ['c completed', 'd started'],
    [],
    []
  ])
  t.strictSame(dependenciesIn(t, template({on: '[7]', 7: '~'})), [[], ['7 ready']])
})

t.test('what common says counts for all apps but the one that it names', async t => {
  t.strictSame(dependenciesIn(t, template({a: '~', b: '~', c: '[a]', d: '[]'}, 'dependsOn: {b: completed}')), [
    ['b completed'],
    [],
    ['a ready'],
    []
  ])
})

t.test('apps that common names together do not wait for each other', async t => {
  t.strictSame(dependenciesIn(t, template({db: '~', cache: '~', web: '~', jobs: '[db]'}, 'dependsOn: [db, cache]')), [
    [],
    [],
    ['db ready', 'cache ready'],
    ['db ready']
  ])
})

t.test('an id that no app has is refused where it stands', async t => {
  const list = failure(t, template({orders: '~', checkout: '[orders, ordes]'}))
  t.equal(list.message, `${BEFORE}app "checkout" depends on "ordes", which is not an app of this template`)
  t.match(list.explanation, /^dapr\.yaml:5:65\n.*\n {64}\^{5}\ndid you mean orders\?$/)
  const map = failure(t, template({checkout: '{zzz: ready}'}))
  t.equal(map.message, `${BEFORE}app "checkout" depends on "zzz", which is not an app of this template`)
  t.notMatch(map.explanation, 'did you mean')
})

t.test('a circle is refused with the way around it', async t => {
  const table: readonly (readonly [Readonly<Record<string, string>>, string, string])[] = [
    [{a: '[a]'}, 'a → a', '4'],
    [{a: '[b]', b: '[a]'}, 'a → b → a', '4'],
    [{a: '[b]', b: '[c]', c: '{d: started, b: completed}', d: '~'}, 'b → c → b', '5'],
    [{x: '[]', a: '[x, c]', b: '[a]', c: '[b]'}, 'a → c → b → a', '5']
  ]
  for (const [apps, way, line] of table) {
    const {message, explanation} = failure(t, template(apps))
    t.equal(message, `${BEFORE}dependsOn is circular: ${way}`)
    t.match(explanation, new RegExp(`^dapr\\.yaml:${line}:.*\\n.*\\n.*\\nremove one of these`), way)
  }
  const common = failure(t, template({a: '~', b: '[a]'}, 'dependsOn: [b]'))
  t.match(common.message, 'a → b → a')
  t.match(common.explanation, /^dapr\.yaml:2:/)
})

t.test('many ways to the same app are no circle', async t => {
  const apps = Object.fromEntries(
    Array.from({length: 40}, (_, n) => [`a${n}`, n < 38 ? `[a${n + 1}, a${n + 2}]` : '~'] as const)
  )
  t.equal(dependenciesIn(t, template(apps)).length, 40)
})
