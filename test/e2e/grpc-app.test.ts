import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** The command of an app that ends each connection so. */
const ending = (end: string): string[] => [
  process.execPath,
  '-e',
  // A gRPC server begins with its settings, and ends a connection that does not speak HTTP/2.
  `require('net').createServer(s => s.on('error', () => {}).once('data', () => ${end})).listen(process.env.APP_PORT, '127.0.0.1')`
]

const hint = (id: string, protocol: string): string =>
  `("${id}" has appProtocol ${protocol}, and calls over HTTP to such an app are not built yet)`

t.test('an app of gRPC that is called over HTTP: what it says is told, and why it says so', async t => {
  const rig = await openRig(t)
  const settings = String.raw`s.end('\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00')`
  await rig.template([
    {appID: 'shop'},
    {appID: 'settled', autoPort: true, appProtocol: 'grpc', command: ending(settings)},
    {appID: 'silent', autoPort: true, appProtocol: 'grpc', command: ending('s.end()')},
    {appID: 'abrupt', autoPort: true, appProtocol: 'grpcs', command: ending('s.resetAndDestroy()')},
    {appID: 'mistaken', autoPort: true, command: ending(settings)}
  ])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const call = async (id: string): Promise<string> =>
    (JSON.parse((await shop.fetch(`/v1.0/invoke/${id}/method/x`)).body) as {message: string}).message
  t.match(await call('silent'), `: EOF ${hint('silent', 'grpc')}`)
  t.match(await call('abrupt'), ` ${hint('abrupt', 'grpcs')}`)
  t.match(await call('settled'), `" (it speaks HTTP/2) ${hint('settled', 'grpc')}`)
  t.match(await call('mistaken'), /malformed HTTP response ".*" \(it speaks HTTP\/2\)$/)
})
