import t from 'tap'
import {appName, labelOf, schemeOf} from '../../../src/model/app-name.ts'
import {appReferences, withAddresses} from '../../../src/model/app-reference.ts'

t.test('a label has the letters of DNS, and at most 63', async t => {
  t.equal(labelOf(['Web_App', 'my shop!', 'feature/é-1']), 'web-app-my-shop-feature-1')
  t.equal(labelOf(['-a-', '']), 'a')
  const long = labelOf(['web', 'x'.repeat(190), 'pr-214'])
  t.match(long, /^web-x{23}-[0-9a-f]{7}-x{20}-pr-214$/)
  t.equal(long.length, 63)
  t.not(long, labelOf(['web', 'x'.repeat(191), 'pr-214']), 'another long name is another label')
})

t.test('names of domains that the authority may not certify keep plain HTTP', async t => {
  const names = ['web-shop.localhost', 'shop.test', 'app.dev.example.com', 'mytest']
  t.same(
    names.map(name => schemeOf(name, true)),
    ['https', 'https', 'http', 'http']
  )
  t.equal(schemeOf('web-shop.localhost', false), 'http')
})

t.test('a name follows from app, project and copy, or from host', async t => {
  const space = {project: 'shop', copy: ''}
  const copy = {project: 'shop', copy: 'pr-214'}
  t.equal(appName({id: 'web'}, space), 'web-shop.localhost')
  t.equal(appName({id: 'web'}, copy), 'web-shop-pr-214.localhost')
  t.equal(appName({id: 'web', host: 'shop'}, copy), 'shop-pr-214.localhost')
  t.equal(appName({id: 'web', host: 'app.dev.example.com'}, space), 'app.dev.example.com')
  t.equal(appName({id: 'web', host: 'app.dev.example.com'}, copy), 'app-pr-214.dev.example.com')
})

t.test('the last dot of a reference divides', async t => {
  t.strictSame(appReferences('a ${app.web.v2.url} $${app.x.url} ${APP} ${app.}'), [
    {written: '${app.web.v2.url}', id: 'web.v2', property: 'url'},
    {written: '${app.}', id: '', property: ''}
  ])
  const api = {url: 'http://localhost:1', host: 'localhost', port: 1, name: 'http://api.localhost:2'}
  const addressOf = (id: string): typeof api | undefined => (id === 'api' ? api : undefined)
  t.equal(
    withAddresses('${app.api.host}:${app.api.port} ${app.api.name} ${app.no.url}', addressOf),
    'localhost:1 http://api.localhost:2 ${app.no.url}'
  )
})
