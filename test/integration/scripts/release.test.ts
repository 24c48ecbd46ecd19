import {execFileSync} from 'node:child_process'
import {chmodSync, globSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {test, type Test} from 'tap'
import {checkExecutable} from '../../../scripts/check-executable.js'
import {formulaOf} from '../../../scripts/formula.js'
import {manPageOf} from '../../../scripts/man-page.js'
import {stepsLeft} from '../../../scripts/release-steps.js'
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

test('a signature covers each page, also when it is made again; a changed byte is told', async t => {
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
})

test(
  'our own Node is an executable of Linux without a program inside',
  {skip: process.platform !== 'linux'},
  async t => {
    const path = join(t.testdir({cut: ''}), 'cut')
    const node = readFileSync(process.execPath)
    writeFileSync(path, node.subarray(0, 1_000_000))
    t.throws(() => checkExecutable(path, `linux-${process.arch}`), /segment \d+ ends behind the file/)
  }
)

const SUMS = {'darwin-arm64': 'a1', 'darwin-x64': 'a2', 'linux-arm64': 'a3', 'linux-x64': 'a4'}
const FORMULA = formulaOf({
  version: '9.9.9',
  url: 'https://x',
  sums: SUMS,
  fileOf: (target: string) => `pillion-9.9.9-${target}.gz`
})

test('what a formula does with a download, step by step, ends with a program that runs', async t => {
  const folder = t.testdir({bin: {}})
  const download = join(folder, 'pillion-9.9.9-linux-x64.gz')
  writeFileSync(download, gzipSync('#!/bin/sh\necho "completes for $2"\n'), {mode: 0o644})
  execFileSync('gunzip', ['-q', '-N', download]) // so does Homebrew: the mode is that of the download
  const at = (name = ''): string => join(folder, 'bin', name)
  const [, install = ''] = /def install\n([^]*?)\n {2}end/.exec(FORMULA) ?? []
  const said: string[] = []
  for (const line of install.split('\n').map(each => each.trim().replace(/ #.*/, ''))) {
    const [, from, to] = /^bin\.install Dir\["(.*)"\]\.first => "(.*)"$/.exec(line) ?? []
    const [, mode = '', changed] = /^chmod (\d+), bin\/"(.*)"$/.exec(line) ?? []
    const [, program, word = ''] = /^generate_completions_from_executable\(bin\/"(.*)", "(.*)"\)$/.exec(line) ?? []
    if (from !== undefined) renameSync(join(folder, globSync(from, {cwd: folder})[0] ?? ''), at(to))
    else if (changed !== undefined) chmodSync(at(changed), Number.parseInt(mode, 8))
    else if (program !== undefined) said.push(execFileSync(at(program), [word, 'bash'], {encoding: 'utf8'}))
    else t.fail(`an unknown step: ${line}`)
  }
  t.strictSame(said, ['completes for bash\n'])
})

test('a formula names each platform with its file and sum', async t => {
  for (const [target, sum] of Object.entries(SUMS))
    t.ok(FORMULA.includes(`url "https://x/pillion-9.9.9-${target}.gz"\n      sha256 "${sum}"`), target)
})

test('the manual page has each command, and no line that troff would take for a request', async t => {
  const help =
    'Usage:\n  pillion [command]\n\nStart:\n  up             Run it, as run -f . does\n  ps             .hidden\n'
  const page = manPageOf({version: '1.2.3', help})
  t.match(page, '.TP\n.B up\nRun it, as run \\-f . does\n.TP\n.B ps\n\\&.hidden\n.SH EXIT STATUS')
  for (const line of page.split('\n').filter(each => each.startsWith('.'))) t.match(line, /^\.(?:TH|SH|TP|B|I)\b/)
})

test('a release says what is left for a person: nothing, or each step with its place', async t => {
  const files: Record<string, string> = {
    'CHANGELOG.md': '# Changelog\n\n## 1.2.3 - 2026-12-01\n',
    'README.md': '# Pillion\n',
    'docs/for-a-team.md': '',
    'docs/in-ci.md': ''
  }
  const done = {
    manifest: {version: '1.2.3', repository: 'x', homepage: 'x', author: 'x'},
    textOf: (file: string) => files[file] ?? '',
    tags: ['v1.2.3'],
    isClean: true,
    isSigned: true
  }
  t.strictSame(stepsLeft(done), [])
  files['README.md'] = '# Pillion\n\nNothing is published yet. Build it:\n'
  files['CHANGELOG.md'] = '## 1.2.3, not released yet\n'
  t.strictSame(
    stepsLeft({...done, manifest: {version: '1.2.3', homepage: 'x', author: 'x'}, tags: [''], isClean: false}),
    [
      'package.json: write "repository"',
      'CHANGELOG.md: write the heading "## 1.2.3 - YYYY-MM-DD"',
      'README.md:3: replace this line; a comment in README.md has the lines about the installation',
      'git commit: there are changes that no commit has',
      'git tag v1.2.3 && git push origin v1.2.3'
    ]
  )
})
