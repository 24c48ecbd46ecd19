import {statfs} from 'node:fs/promises'

/** File systems that do not report changes made by the host or server. Key: `f_type` of statfs(2). WSL 2: 9p; WSL 1: wslfs. */
const MOUNTED: ReadonlyMap<number, string> = new Map([
  [0x01021997, '9p'],
  [0x53464846, 'wslfs'],
  [0x6969, 'nfs'],
  [0x65735546, 'fuse or virtiofs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [0x7c7c6673, 'prl_fs'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs']
])

/** Returns the kind of a mounted file system that reports no changes; empty for others. `type`: that of statfs(2). */
export const mountedKind = (type: number): string => MOUNTED.get(type >>> 0) ?? ''

/** Returns the kind of the mount that a folder is on, as `mountedKind`; empty also if it cannot be determined. */
export async function mountedKindOf(folder: string): Promise<string> {
  try {
    return mountedKind((await statfs(folder)).type)
  } catch {
    return '' // no such folder: the watcher will notice
  }
}
