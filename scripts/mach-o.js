// What macOS asks of an executable: its load commands, and an ad-hoc signature, as `codesign --sign -` makes one. The formats are
// those of XNU: EXTERNAL_HEADERS/mach-o/loader.h (little endian) and osfmk/kern/cs_blobs.h (big endian).
import {createHash} from 'node:crypto'
import {readFileSync, writeFileSync} from 'node:fs'

const MAGIC = 0xfeedfacf
const ARM64 = 0x0100000c
const LC_SEGMENT_64 = 0x19
const LC_CODE_SIGNATURE = 0x1d
const LC_BUILD_VERSION = 0x32
const DYLIBS = new Set([0xc, 0x80000018, 0x8000001f]) // LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
const SUPER_BLOB = 0xfade0cc0
const CODE_DIRECTORY = 0xfade0c02
const ADHOC = 2
const MAIN_BINARY = 1n
const PAGE = 4096
const SHA256 = 2

const align = (size, to) => Math.ceil(size / to) * to
const sha256 = bytes => createHash('sha256').update(bytes).digest()
const words = (bytes, from) => bytes.toString('latin1', from, bytes.indexOf(0, from))

/** The load commands of a thin 64-bit Mach-O. */
export function parseMachO(file) {
  if (file.readUInt32LE(0) !== MAGIC) throw new Error('not a thin 64-bit Mach-O')
  const isArm = file.readUInt32LE(4) === ARM64
  const found = {
    isArm,
    commands: file.readUInt32LE(16),
    size: file.readUInt32LE(20),
    segments: {},
    libraries: [],
    room: Infinity
  }
  let at = 32
  for (let index = 0; index < found.commands; index++) {
    const command = file.readUInt32LE(at)
    if (command === LC_CODE_SIGNATURE)
      found.signature = {at, offset: file.readUInt32LE(at + 8), size: file.readUInt32LE(at + 12)}
    if (command === LC_BUILD_VERSION) found.minimum = `${file.readUInt16LE(at + 14)}.${file.readUInt8(at + 13)}`
    if (DYLIBS.has(command)) found.libraries.push(words(file, at + file.readUInt32LE(at + 8)))
    if (command === LC_SEGMENT_64) {
      const name = words(file.subarray(at + 8, at + 24 + 1), 0)
      const [address, memory, offset, size] = [24, 32, 40, 48].map(by => Number(file.readBigUInt64LE(at + by)))
      found.segments[name] = {at, address, memory, offset, size, sections: []}
      for (let section = 0; section < file.readUInt32LE(at + 64); section++) {
        const from = at + 72 + section * 80
        const start = file.readUInt32LE(from + 48)
        found.segments[name].sections.push({
          name: words(file.subarray(from, from + 17), 0),
          offset: start,
          size: Number(file.readBigUInt64LE(from + 40))
        })
        if (start > 0) found.room = Math.min(found.room, start)
      }
    }
    at += file.readUInt32LE(at + 4)
  }
  return {...found, end: at}
}

/** Signs an executable that has no signature, or one that no longer fits; `identifier` is the name in it. */
export function signAdHoc(path, identifier) {
  let file = readFileSync(path)
  let {signature, commands, size, end, segments, room, isArm} = parseMachO(file)
  // a signature ends the file; its load command is used again
  if (signature !== undefined) file = file.subarray(0, signature.offset)
  else if (end + 16 > room) throw new Error(`${path} has no room for one more load command`)
  const {__LINKEDIT: linkedit, __TEXT: text} = segments
  const limit = align(file.length, 16)
  const slots = Math.ceil(limit / PAGE)
  const name = Buffer.from(`${identifier}\0`)
  const directorySize = 88 + name.length + slots * 32
  const total = align(20 + directorySize, 16)
  file = Buffer.concat([file, Buffer.alloc(limit - file.length + total)])

  const at = signature?.at ?? end
  file.writeUInt32LE(LC_CODE_SIGNATURE, at)
  file.writeUInt32LE(16, at + 4)
  file.writeUInt32LE(limit, at + 8)
  file.writeUInt32LE(total, at + 12)
  if (signature === undefined) {
    file.writeUInt32LE(commands + 1, 16)
    file.writeUInt32LE(size + 16, 20)
  }
  const linkeditSize = file.length - linkedit.offset
  file.writeBigUInt64LE(BigInt(linkeditSize), linkedit.at + 48)
  file.writeBigUInt64LE(BigInt(align(linkeditSize, isArm ? 16_384 : 4096)), linkedit.at + 32)

  const blob = file.subarray(limit)
  const blobWords = [SUPER_BLOB, 20 + directorySize, 1, 0, 20]
  blobWords.forEach((word, index) => blob.writeUInt32BE(word, 4 * index))
  const directory = blob.subarray(20)
  const directoryWords = [CODE_DIRECTORY, directorySize, 0x20400, ADHOC, 88 + name.length, 88, 0, slots, limit]
  directoryWords.forEach((word, index) => directory.writeUInt32BE(word, 4 * index))
  directory.set([32, SHA256, 0, Math.log2(PAGE)], 36)
  directory.writeBigUInt64BE(BigInt(text.offset), 64)
  directory.writeBigUInt64BE(BigInt(text.size), 72)
  directory.writeBigUInt64BE(MAIN_BINARY, 80)
  name.copy(directory, 88)
  for (let slot = 0; slot < slots; slot++) hashOf(file, slot, limit).copy(directory, 88 + name.length + slot * 32)
  writeFileSync(path, file)
}

const hashOf = (file, slot, limit) => sha256(file.subarray(slot * PAGE, Math.min((slot + 1) * PAGE, limit)))

/** The signature of an executable; `bad`: pages whose hash is another one. Undefined: it has none. */
export function readSignature(file) {
  const {signature} = parseMachO(file)
  if (signature === undefined) return undefined
  const blob = file.subarray(signature.offset, signature.offset + signature.size)
  for (let index = 0; index < blob.readUInt32BE(8); index++) {
    const directory = blob.subarray(blob.readUInt32BE(16 + 8 * index))
    if (directory.readUInt32BE(0) !== CODE_DIRECTORY || directory[37] !== SHA256 || 2 ** directory[39] !== PAGE)
      continue
    const [flags, hashes, ident, , slots, limit] = [12, 16, 20, 24, 28, 32].map(by => directory.readUInt32BE(by))
    let bad = 0
    for (let slot = 0; slot < slots; slot++)
      if (!hashOf(file, slot, limit).equals(directory.subarray(hashes + slot * 32, hashes + slot * 32 + 32))) bad++
    const endsFile = limit === signature.offset && signature.offset + signature.size === file.length
    return {identifier: words(directory, ident), isAdHoc: flags === ADHOC, slots, bad, endsFile}
  }
  return undefined
}
