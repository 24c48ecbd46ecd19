import t, {type Test} from 'tap'
import {failure, load} from './shop.ts'

const template = (...apps: readonly string[]): string =>
  ['version: 1', 'name: shop', 'apps:', ...apps.map(app => `  - {appDirPath: ./orders, ${app}}`)].join('\n')

const explained = (test: Test, ...apps: readonly string[]): string => {
  const {message, explanation} = failure(test, template(...apps))
  return `${message}\n${explanation}`
}

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
