import t from 'tap'
import {pathOf} from '../../../../../src/dapr/sidecar/http/blocks/app-headers.ts'

const ROUTES: readonly (readonly [route: string, path: string])[] = [
  ['/orders', '/orders'],
  ['orders', '/orders'],
  ['/größe und maß', '/gr%C3%B6%C3%9Fe%20und%20ma%C3%9F'],
  ['/gr%C3%B6%C3%9Fe', '/gr%C3%B6%C3%9Fe'],
  ['/orders%2Fnew', '/orders%2Fnew'],
  ['/a%3Fb%23c', '/a%3Fb%23c'],
  ['/100%', '/100%25'],
  ['/orders?a=1', '/orders']
]

t.test('the route of an app is the path of its requests, with the escapes that it has', async t => {
  for (const [route, path] of ROUTES) t.equal(pathOf(route), path, route)
})
