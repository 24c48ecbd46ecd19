import t, {type Test} from 'tap'
import {failure, load} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`)].join('\n')

const explained = (test: Test, ...apps: readonly string[]): string => {
  const {message, explanation} = failure(test, template(...apps))
  return `${message}\n${explanation}`
}

t.test('a port may have an address before it, and is the number in the code unless that is said', async t => {
  const {plan} = load(t, template('appID: a, port: 5100', 'appID: b, port: "0.0.0.0:5101", fixedPort: 3000'))
  t.match(plan.apps, [
    {published: {host: '', number: 5100, inCode: 5100}, channel: {autoPort: true}},
    {published: {host: '0.0.0.0', number: 5101, inCode: 3000}}
  ])
})

t.test('a port that is none, with its place and what to write', async t => {
  for (const written of ['70000', '0', 'abc', '"localhost:"', '"a b:5100"'])
    t.match(
      explained(t, `appID: a, port: ${written}`),
      /wrong value of port\ndapr\.yaml:3:44\n[^]*expected a port number from 1 to 65535, or an address with one, like 0\.0\.0\.0:5100/,
      written
    )
})

const taken = (key: string, by: string): string =>
  `app "b": ${key} is 5100, which is taken by the ${by} of "a" (dapr.yaml:3:`

t.test('a port that is wanted twice is refused: the app itself, another one, a sidecar', async t => {
  t.match(
    explained(t, 'appID: a, port: 5100, appPort: 5100'),
    /port and appPort are both 5100[^]*leave appPort out: the app is given a free port in PORT/
  )
  t.match(explained(t, 'appID: a, port: 5100', 'appID: b, port: 5100'), taken('port', 'port'))
  t.match(explained(t, 'appID: a, port: 5100', 'appID: b, appPort: 5100'), taken('appPort', 'port'))
  t.match(explained(t, 'appID: a, daprHTTPPort: 5100', 'appID: b, port: 5100'), taken('port', 'daprHTTPPort'))
  t.match(
    explained(t, 'appID: a, port: 5100, daprGRPCPort: 5100'),
    'app "a": daprGRPCPort is 5100, which is taken by the port (dapr.yaml:3:'
  )
  for (const apps of [
    ['appID: a, port: 5100, profiles: [one]', 'appID: b, port: 5100, profiles: [two]'],
    ['appID: a, port: "127.0.0.2:5100"', 'appID: b, port: "127.0.0.3:5100"'],
    ['appID: a, version: 1.0.0, port: 5100', 'appID: a, version: 1.1.0, port: 5100'],
    ['appID: a, port: 5100', 'appID: b, autoPort: true, port: 5101']
  ])
    t.equal(load(t, template(...apps)).plan.apps.length, 2)
})

t.test(
  'PORT of an env file does not hide where an app with a port is to listen; one of env does, and is named',
  async t => {
    const one = (more: string): string => template(`appID: a, port: 5100, envFile: .env${more}`)
    const files = {orders: {'.env': 'PORT=5000\nHOST=x\n'}}
    t.same(load(t, one(''), {files}).plan.apps[0]?.env, {HOST: 'x'})
    t.same(load(t, template('appID: a, appPort: 5100, envFile: .env'), {files}).plan.apps[0]?.env, {
      PORT: '5000',
      HOST: 'x'
    })
    t.match(load(t, one(', env: {PORT: "4000"}'), {files}).findings, [
      {
        code: 'own-port',
        message: 'env sets PORT, in place of the port that it is to listen at: only APP_PORT has that one',
        hint: 'leave PORT out, or write fixedPort: 4000, if it is in the code'
      }
    ])
    t.same(load(t, one(', env: {PORT: "5100"}'), {files}).findings, [])
  }
)
