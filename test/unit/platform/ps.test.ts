import {test} from 'tap'
import {parsePs} from '../../../src/platform/ps.ts'

test('rows of ps are parsed with their environment', async t => {
  const text = [
    '    1     0     1     0 Ss   Thu Jan  1 00:00:10 2026     /sbin/launchd',
    '  501     1   500   501 S+   Mon Nov 20 09:08:07 2026     node server.js PILLION_LIFE=ab-1 A=b',
    '  502   501   500   501 Z    Mon Nov 20 09:08:08 2026     (node)',
    ''
  ].join('\n')
  const rows = parsePs(text)
  t.match(rows, [
    {pid: 1, parent: 0, group: 1, uid: 0, isZombie: false, line: /launchd$/},
    {pid: 501, parent: 1, group: 500, uid: 501, isZombie: false, line: /^ *node server\.js PILLION_LIFE=ab-1 A=b$/},
    {pid: 502, parent: 501, group: 500, uid: 501, isZombie: true}
  ])
  t.equal((rows[2]?.started ?? 0) - (rows[1]?.started ?? 0), 1, 'in seconds')
})

test('other lines are skipped', async t => {
  t.same(parsePs('ps: illegal option\n\n'), [])
})
