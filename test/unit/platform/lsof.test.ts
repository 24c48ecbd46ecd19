import {test} from 'tap'
import {isAirPlay, parseLsof} from '../../../src/platform/port-owners.ts'

test('sockets that listen, with the loopback addresses at which they accept', async t => {
  const text =
    'p501\nf23\ntIPv4\nn127.0.0.1:8080\nf24\ntIPv6\nn[::1]:8081\np77\nf9\ntIPv6\nn*:5000\nf10\ntIPv4\nn*:7000\nf11\ntIPv6\nn[::ffff:127.0.0.1]:9\n'
  t.same(parseLsof(text), [
    {pid: 501, port: 8080, accepts: ['127.0.0.1']},
    {pid: 501, port: 8081, accepts: ['::1']},
    {pid: 77, port: 5000, accepts: ['127.0.0.1', '::1']},
    {pid: 77, port: 7000, accepts: ['127.0.0.1']},
    {pid: 77, port: 9, accepts: ['127.0.0.1']}
  ])
  t.same(parseLsof(''), [])
})

test('AirPlay is known by its program and its ports', async t => {
  const program = '/System/Library/CoreServices/ControlCenter.app/Contents/MacOS/ControlCenter'
  t.ok(isAirPlay(5000, program))
  t.notOk(isAirPlay(8080, program))
  t.notOk(isAirPlay(5000, 'python -m http.server 5000'))
})
