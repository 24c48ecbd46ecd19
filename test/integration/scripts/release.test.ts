import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {test, type Test} from 'tap'
import {checkExecutable} from '../../../scripts/check-executable.js'
import {formulaOf} from '../../../scripts/formula.js'
import {readSignature, signAdHoc} from '../../../scripts/mach-o.js'

const PAGE = 16_384
const pad = (name: string): Buffer => Buffer.concat([Buffer.from(name), Buffer.alloc(16 - name.length)])

interface Part {
  readonly name: string
  readonly address: number
  readonly offset: number
  readonly size: number
}

/** A segment with one section that fills it (LC_SEGMENT_64). */
function segment({name, address, offset, size}: Part): Buffer {
  const command = Buffer.alloc(72 + 80)
  command.writeUInt32LE(0x19, 0)
  command.writeUInt32LE(command.length, 4)
  pad(name).copy(command, 8)
  for (const [index, value] of [address, PAGE, offset, size].entries())
    command.writeBigUInt64LE(BigInt(value), 24 + 8 * index)
  command.writeUInt32LE(1, 64)
  pad('all').copy(command, 72)
  command.writeBigUInt64LE(BigInt(size), 72 + 40)
  command.writeUInt32LE(offset === 0 ? 4096 : offset, 72 + 48)
  return command
}

/** The smallest executable that has what is looked at. */
function machO(t: Test): string {
  const parts = [
    {name: '__TEXT', address: 0, offset: 0, size: PAGE},
    {name: 'NODE_SEA', address: PAGE, offset: PAGE, size: PAGE},
    {name: '__LINKEDIT', address: 2 * PAGE, offset: 2 * PAGE, size: 1000}
  ]
  const commands = Buffer.concat(parts.map(segment))
  const header = Buffer.alloc(32)
  const words = [0xfeedfacf, 0x0100000c, 0, 2, parts.length, commands.length]
  for (const [index, word] of words.entries()) header.writeUInt32LE(word, 4 * index)
  const file = Buffer.alloc(2 * PAGE + 1000, 7)
  Buffer.concat([header, commands, Buffer.alloc(64)]).copy(file)
  const path = join(t.testdir(), 'program')
  writeFileSync(path, file)
  return path
}

test('a signature covers each page, also when it is made again; a changed byte is told', t => {
  const path = machO(t)
  t.throws(() => checkExecutable(path, 'darwin-arm64'), /no signature/)
  for (let time = 0; time < 2; time++) {
    signAdHoc(path, 'pillion')
    t.match(readSignature(readFileSync(path)), {identifier: 'pillion', isAdHoc: true, slots: 9, bad: 0, endsFile: true})
    t.doesNotThrow(() => checkExecutable(path, 'darwin-arm64'))
  }
  t.throws(() => checkExecutable(path, 'darwin-x64'), /another processor/)
  t.throws(() => checkExecutable(path, 'linux-x64'), /no ELF/)
  const changed = readFileSync(path)
  changed[PAGE + 5] = 8
  writeFileSync(path, changed)
  t.throws(() => checkExecutable(path, 'darwin-arm64'), /1 of 9 pages are not as they were signed/)
  writeFileSync(path, changed.subarray(0, -1))
  t.throws(() => checkExecutable(path, 'darwin-arm64'), /ends behind the file/)
  t.end()
})

test('our own Node is an executable of Linux without a program inside', {skip: process.platform !== 'linux'}, t => {
  const path = join(t.testdir({cut: ''}), 'cut')
  const node = readFileSync(process.execPath)
  writeFileSync(path, node.subarray(0, 1_000_000))
  t.throws(() => checkExecutable(path, `linux-${process.arch}`), /segment \d+ ends behind the file/)
  t.end()
})

test('a formula names each platform with its file and sum', t => {
  const sums = {'darwin-arm64': 'a1', 'darwin-x64': 'a2', 'linux-arm64': 'a3', 'linux-x64': 'a4'}
  const text = formulaOf({version: '9.9.9', url: 'https://x', sums, fileOf: (target: string) => `pillion-${target}.gz`})
  for (const [target, sum] of Object.entries(sums))
    t.ok(text.includes(`url "https://x/pillion-${target}.gz"\n      sha256 "${sum}"`), target)
  t.end()
})
