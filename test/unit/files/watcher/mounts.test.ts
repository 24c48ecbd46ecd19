import t from 'tap'
import {mountedKind} from '../../../../src/files/watcher/mounts.ts'

t.test('file systems that tell of no changes are known by the number that statfs gives', async t => {
  t.equal(mountedKind(0x01021997), '9p')
  t.equal(mountedKind(0x6969), 'nfs')
  t.equal(mountedKind(0x65735546), 'fuse or virtiofs')
  t.equal(mountedKind(0xff534d42 | 0), 'cifs', 'a number that came out negative')
})

t.test('disks and memory are none of them', async t => {
  for (const type of [0xef53, 0x01021994, 0x9123683e, 0x58465342, 0x794c7630]) t.equal(mountedKind(type), '')
})
