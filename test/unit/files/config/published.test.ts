import t, {type Test} from 'tap'
import {failure, load} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'name: shop', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`)].join('\n')

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
      /wrong value of port\ndapr\.yaml:4:44\n[^]*expected a port number from 1 to 65535, or an address with one, like 0\.0\.0\.0:5100/,
      written
    )
})

const taken = (key: string, by: string): string =>
  `app "b": ${key} is 5100, which is taken by the ${by} of "a" (dapr.yaml:4:`

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
    'app "a": daprGRPCPort is 5100, which is taken by the port (dapr.yaml:4:'
  )
  for (const apps of [
    ['appID: a, port: 5100, profiles: [one]', 'appID: b, port: 5100, profiles: [two]'],
    ['appID: a, port: "127.0.0.2:5100"', 'appID: b, port: "127.0.0.3:5100"'],
    ['appID: a, version: 1.0.0, port: 5100', 'appID: a, version: 1.1.0, port: 5100'],
    ['appID: a, port: 5100', 'appID: b, autoPort: true, port: 5101']
  ])
    t.equal(load(t, template(...apps)).plan.apps.length, 2)
})

t.test('PORT of an env file does not hide where an app with a port listens; one of env does, named', async t => {
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
})

t.test('host and names of an app', async t => {
  const apps = [
    'appID: a, autoPort: true, host: Shop',
    'appID: b, autoPort: true, names: false',
    'appID: c, appPort: 5432, command: [redis-server]'
  ]
  t.match(load(t, template(...apps)).plan.apps, [{host: 'shop'}, {isNameless: true}, {isNameless: true}])
  t.equal(load(t, `names: false\n${template('appID: a, autoPort: true')}`).plan.names, false)
  for (const host of ['-a', 'a b', '127.0.0.1', 'a..b', 'x'.repeat(64), '"a:80"', '""'])
    t.match(
      explained(t, `appID: a, autoPort: true, host: ${host}`),
      /expected letters, digits and dashes, like shop/,
      host
    )
})

t.test('a name that two apps would have is refused with both places', async t => {
  t.match(
    explained(t, 'appID: a.b, autoPort: true', 'appID: a-b, autoPort: true'),
    /the apps "a\.b" and "a-b" are both called a-b-shop\.localhost: dapr\.yaml:4:\d+ and dapr\.yaml:5:\d+[^]*host: NAME/
  )
  t.match(
    explained(t, 'appID: a, autoPort: true', 'appID: b, autoPort: true, host: a-shop'),
    /both called a-shop\.localhost/
  )
  load(t, template('appID: a.b, autoPort: true', 'appID: a-b, autoPort: true, names: false'))
  load(t, template('appID: a, autoPort: true', 'appID: a, autoPort: true'))
})

t.test('routes lead to apps that can be called, the longest prefix first', async t => {
  const api = 'appID: api, autoPort: true'
  t.match(
    load(t, template(api, 'appID: web, port: 5100, routes: {/: api, /api/v2/: {app: api, strip: true}}')).plan.apps[1],
    {
      routes: [
        {prefix: '/api/v2', app: 'api', strips: true},
        {prefix: '/', app: 'api', strips: false}
      ]
    }
  )
  for (const key of ['host: shop', 'routes: {/: api}'])
    t.match(explained(t, api, `appID: web, ${key}`), /"web" has no address for (host|routes): it has no port/, key)
  const refused = (routes: string): string =>
    explained(t, api, 'appID: job', `appID: web, port: 5100, routes: ${routes}`)
  t.match(refused('{/x: none}'), /\/x leads to "none": the template has no such app[^]*one of api, web$/m)
  t.match(refused('{/x: job}'), /\/x leads to "job": it has no port/)
  t.match(
    explained(t, `${api}, appProtocol: h2c`, 'appID: web, port: 5100, routes: {/x: api}'),
    /or speaks gRPC or h2c/
  )
  t.match(refused('{x: api}'), /expected a path that begins with \//)
  t.match(refused('[api]'), /expected a map of paths to apps/)
})
