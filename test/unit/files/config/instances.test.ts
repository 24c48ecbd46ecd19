import t from 'tap'
import {failure, load, orders as entry} from './shop.ts'

const orders = (...lines: readonly string[]): string => entry(...lines, 'command: [node]')

const numbers = (test: Parameters<typeof load>[0], yaml: string): readonly (readonly [string, number])[] =>
  load(test, yaml).plan.apps.map(({id, instance}) => [id, instance] as const)

t.test('replicas are instances with ports of their own; those that the template fixes go to the first', async t => {
  const yaml = orders('autoPort: true', 'replicas: 3', 'daprHTTPPort: 3500', 'metricsPort: 9090', 'dependsOn: []')
  const {plan} = load(t, yaml)
  t.strictSame(
    plan.apps.map(({instance, sidecar}) => [instance, sidecar.httpPort, sidecar.metricsPort]),
    [
      [1, 3500, 9090],
      [2, 0, 0],
      [3, 0, 0]
    ]
  )
  t.ok(plan.apps.every(({channel, command}) => channel.autoPort && command.length > 0))
  t.same(numbers(t, orders('fixedPort: 8000', 'replicas: 2')).length, 2, 'a port that is hard-wired is exchanged')
  t.same(numbers(t, orders('replicas: 2')).length, 2, 'an app that serves nothing needs no port')
  t.same(numbers(t, orders('appPort: 3000', 'replicas: 1')).length, 1)
  t.same(numbers(t, orders('replicas:')).length, 1, 'nothing is said')
})

const app = (text: string): string => `  - {appDirPath: ./orders, command: [node], ${text}}`

t.test('entries of one id and one version are numbered in their order, replicas among them', async t => {
  const yaml = [
    'version: 1',
    'common: {autoPort: true}',
    'apps:',
    app('appID: a'),
    app('appID: b'),
    app('appID: a, replicas: 2'),
    app('appID: a, version: 1.0.0')
  ].join('\n')
  t.strictSame(numbers(t, yaml), [
    ['a', 1],
    ['b', 1],
    ['a', 2],
    ['a', 3],
    ['a', 1]
  ])
})

t.test('what is no number of instances is refused at its place', async t => {
  for (const value of ['0', '-1', '51', '1000', 'three', '1.5', '[2]', 'true']) {
    const {message, explanation} = failure(t, orders('autoPort: true', `replicas: ${value}`))
    t.equal(message, 'Error getting apps from config file: wrong value of replicas', value)
    t.match(explanation, /^dapr\.yaml:6:15\n.*\n.*\nexpected a number of instances, 1 to 50$/, value)
  }
})

const REFUSED: readonly {readonly lines: readonly string[]; readonly message: RegExp; readonly remedy: RegExp}[] = [
  {
    lines: ['appPort: 3000', 'replicas: 3'],
    message: /app "orders": replicas needs a port that is another one for each instance, and appPort is always 3000$/,
    remedy: /^dapr\.yaml:6:15\n.*\n.*\nwrite autoPort: true in the place of appPort/
  },
  {
    lines: ['autoPort: true', 'replicas: 3', 'ready: {tcp: 9000}'],
    message: /app "orders": ready\.tcp names one port for all replicas$/,
    remedy: /^dapr\.yaml:6:15\n/
  }
]

for (const {lines, message, remedy} of REFUSED)
  t.test(`refused with place and remedy: ${lines.join(', ')}`, async t => {
    const refused = failure(t, orders(...lines))
    t.match(refused.message, message)
    t.match(refused.explanation, remedy)
  })

t.test('replicas without a command are refused', async t => {
  const yaml = 'version: 1\napps:\n  - {appDirPath: ./orders, autoPort: true, replicas: 2}'
  t.match(failure(t, yaml).message, /app "orders": replicas needs a command to start$/)
})
