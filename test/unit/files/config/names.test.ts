import t, {type Test} from 'tap'
import {failure, load} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'name: shop', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`)].join('\n')

const explained = (test: Test, ...apps: readonly string[]): string => {
  const {message, explanation} = failure(test, template(...apps))
  return `${message}\n${explanation}`
}

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

t.test('an address of an app is known where it may be named', async t => {
  const api = 'appID: api.v2, autoPort: true'
  load(t, template(api, 'appID: web, env: {API: "${app.api.v2.url}"}, command: [node, a.js, "${app.api.v2.port}"]'))
  load(t, template(api, 'appID: web, autoPort: true, ready: {command: [curl, "${app.api.v2.url}"]}'))
  load(t, `interpolate: true\n${template(api, 'appID: web, env: {API: "${app.api.v2.url} ${NO:-x}"}')}`)
  const refused = (app: string): string => explained(t, api, 'appID: job', app)
  t.match(
    refused('appID: web, env: {API: "${app.none.url}"}'),
    /has no app "none"\ndapr\.yaml:6:\d+[^]*it has api\.v2, job, web/
  )
  t.match(refused('appID: web, env: {API: "${app.job.url}"}'), /"job" has no address[^]*autoPort: true/)
  t.match(refused('appID: web, env: {API: "${app.api.v2.uri}"}'), /names no property[^]*\$\{app\.ID\.url\}/)
  t.match(refused('appID: web, dependsOn: ["${app.api.v2.url}"]'), /dependsOn cannot contain \$\{app\.api\.v2\.url\}/)
  t.match(refused('appID: web, autoPort: true, ready: {http: "/${app.api.v2.host}"}'), /ready cannot contain/)
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
  const refused = (routes: string): string =>
    explained(t, api, 'appID: job', `appID: web, port: 5100, routes: ${routes}`)
  t.match(refused('{/x: none}'), /\/x leads to "none": the template has no such app[^]*api, job, web/)
  t.match(refused('{/x: job}'), /\/x leads to "job": it has no port/)
  t.match(refused('{x: api}'), /expected a path that begins with \//)
  t.match(refused('[api]'), /expected a map of paths to apps/)
})
