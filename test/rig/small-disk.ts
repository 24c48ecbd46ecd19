import {spawnSync} from 'node:child_process'

/** Runs a command in its own mount table with a disk of 1 MiB. The first argument is where it is mounted, the others are the command. */
export const SMALL_DISK = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mounting('exec "$@"')]

/** The same, with the output of the command in the file `console`. */
export const SMALL_DISK_TO_FILE = [...SMALL_DISK.slice(0, -1), mounting('exec "$@" > console')]

/** As the first one, with a disk of this size (`72m`). */
export const smallDisk = (size: string): readonly string[] => [...SMALL_DISK.slice(0, -1), mounting('exec "$@"', size)]

function mounting(then: string, size = '1m'): string {
  return `mount -t tmpfs -o size=${size} tmpfs "$0" && ${then}`
}

const mayMount = spawnSync('unshare', [...SMALL_DISK.slice(1, -1), 'mount -t tmpfs tmpfs /mnt']).status === 0

/** Why tests with a small disk are skipped; false if they are not. */
export const skipWithoutSmallDisk = mayMount
  ? false
  : 'no small disk can be mounted here: unshare and mount are refused'
