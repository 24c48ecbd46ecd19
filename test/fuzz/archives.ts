import {lstat, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {unpackArchive} from '../../src/packages/daeploy/archive.ts'
import {messageOf} from '../../src/model/errors.ts'
import {tarOf, type Member} from '../rig/tar.ts'
import type {Random} from './random.ts'
import {mutated} from './script.ts'

const LIMITS = {maxBytes: 1 << 20, maxEntries: 200}
/** Folders have sizes, too. */
const MOST_BYTES = 2 * LIMITS.maxBytes

const NAMES = ['a', 'a/b', 'd/', '../out', '/tmp/out', 'a/../../out', '.', './', 'l', 'l/x', 'é', '\\', 'n'.repeat(99)]
const TYPES = ['0', '0', '0', '5', '2', '1', '3', '6', '7', 'L', 'K', 'x', 'g', 'S', '\0']

const member = (random: Random): Member => ({
  name: random.oneIn(4) ? `${'d/'.repeat(random.below(40))}f` : random.pick(NAMES),
  type: random.pick(TYPES),
  text: random.pick(['', 'x', '30 path=../../out\n', '0'.repeat(random.pick([600, 70_000, 3_000_000]))]),
  link: random.pick(['', '..', '/tmp', 'a', '../out'])
})

/** An archive that may be wrong, or unpack to much more than it is. */
export function archive(random: Random): Buffer {
  const count = random.pick([1, 3, 10, 300])
  const plain = tarOf(
    ...Array.from({length: count}, () => (count > 10 ? {name: random.below(1e9).toString()} : member(random)))
  )
  const tar = random.oneIn(2) ? plain : mutated(random, plain, ['ustar', '\0\0\0', '77777777777'])
  const packed = random.oneIn(2) ? gzipSync(tar) : tar
  return random.oneIn(3) ? mutated(random, packed, ['\x1f\x8b']) : packed
}

/** What a folder holds. Links are not followed, as `recursive` of readdir does: one may lead to a folder that it is in. */
async function sizeOf(folder: string): Promise<{readonly bytes: number; readonly entries: number}> {
  let [bytes, entries] = [0, 0]
  for (const entry of await readdir(folder, {withFileTypes: true})) {
    const path = join(folder, entry.name)
    const inside = entry.isDirectory() ? await sizeOf(path) : {bytes: 0, entries: 0}
    bytes += (await lstat(path)).size + inside.bytes
    entries += 1 + inside.entries
  }
  return {bytes, entries}
}

/** Unpacks it. Throws where more was written than may be, something outside, or the message is none for people. */
export async function unpackAlone(bytes: Buffer): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'fuzz-archive-'))
  try {
    await writeFile(join(root, 'archive'), bytes)
    const fault = await unpackArchive(join(root, 'archive'), join(root, 'in'), LIMITS).then(() => 'none', messageOf)
    if (fault === '' || /\n\s+at /.test(fault)) throw new Error(`no message for people: ${fault}`)
    const outside = (await readdir(root)).filter(name => name !== 'archive' && name !== 'in')
    if (outside.length > 0) throw new Error(`outside its folder: ${outside.join()}`)
    const {bytes: written, entries} = await sizeOf(join(root, 'in'))
    if (written > MOST_BYTES || entries > LIMITS.maxEntries)
      throw new Error(`${written} bytes in ${entries} entries were written`)
  } finally {
    await rm(root, {recursive: true, force: true})
  }
}
