import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {chmod, mkdir, symlink, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const SCRIPT = join(import.meta.dirname, '../../scripts/install.sh')
const NAME = `pillion-9.9.9-${process.platform}-${process.arch}.gz`
/** Stands for the executable, which takes minutes to build: the script does not look into it. */
const PROGRAM = '#!/bin/sh\necho "CLI version: 9.9.9"\n'

const sumOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

/** The files of a release. */
async function released(
  rig: Rig,
  {program = PROGRAM, sum = sumOf(gzipSync(program)), name = NAME} = {}
): Promise<string> {
  const folder = join(rig.folder, 'release')
  await rig.write({'release/SHA256SUMS': `${sumOf('x')}  pillion-9.9.9.tgz\n${sum}  ${name}\n`})
  await writeFile(join(folder, name), gzipSync(program))
  return folder
}

async function install(rig: Rig, ...args: readonly string[]): Promise<{code: number | null; out: string; err: string}> {
  const script = rig.start(['/bin/sh', SCRIPT, ...args], {env: {HOME: rig.home, PATH: '/usr/bin:/bin'}})
  const {code} = await script.exited
  return {code, out: script.stdout.text, err: script.stderr.text}
}

const opened = async (t: Test): Promise<{rig: Rig; bin: string}> => {
  const rig = await openRig(t)
  return {rig, bin: join(rig.home, '.local/bin')}
}

t.test('installed, again, and removed: it says what it does', async t => {
  const {rig, bin} = await opened(t)
  const from = await released(rig)
  for (let time = 0; time < 2; time++) {
    const {code, out, err} = await install(rig, '--from', from)
    t.strictSame([code, err], [0, ''])
    t.match(out, `from ${from}/${NAME}\ninstalled ${bin}/pillion\nCLI version: 9.9.9\n`)
    t.match(out, `${bin} is not in your PATH: export PATH="${bin}:$PATH"\n`)
    t.match(out, `Undo it: sh install.sh --uninstall --to '${bin}'\n`)
    t.strictSame(readdirSync(bin), ['pillion'], 'nothing else is left')
  }
  t.match(await install(rig, '--uninstall'), {code: 0, out: `removed ${bin}/pillion\n`})
  t.strictSame(readdirSync(bin), [])
  t.match(await install(rig, '--uninstall'), {code: 1, err: `install: there is no ${bin}/pillion\n`})
})

t.test('without HOME it asks for the folder, and takes the one that is named', async t => {
  const {rig} = await opened(t)
  const from = await released(rig)
  const to = join(rig.folder, "my son's tools")
  const run = async (...args: readonly string[]) => runs('/bin/sh', SCRIPT, ...args)
  const runs = async (...command: readonly string[]) => {
    const script = rig.start(['env', '-i', 'PATH=/usr/bin:/bin', ...command])
    const {code} = await script.exited
    return {code, out: script.stdout.text, err: script.stderr.text}
  }
  t.match(await run('--from', from), {
    code: 1,
    err: 'install: HOME is not set: which folder is it to be?\nsh install.sh --to FOLDER …\n'
  })
  const installed = await run('--from', from, '--to', to)
  t.match(installed, {code: 0, err: '', out: `installed ${to}/pillion\n`})
  const undo = /^Undo it: sh install.sh (.*)$/m.exec(installed.out)?.[1] ?? ''
  const undone = await runs('/bin/sh', '-c', `/bin/sh '${SCRIPT}' ${undo}`)
  t.match(undone, {code: 0, err: '', out: `removed ${to}/pillion\n`})
})

t.test('what is not the right file changes nothing', async t => {
  const {rig, bin} = await opened(t)
  t.match(await install(rig, '--from', await released(rig)), {code: 0})
  const wrong = await released(rig, {program: `${PROGRAM}# changed\n`, sum: sumOf(gzipSync(PROGRAM))})
  t.match(await install(rig, '--from', wrong), {code: 1, err: 'is not what SHA256SUMS says'})
  const broken = await released(rig, {program: '#!/bin/sh\necho "libatomic.so.1 is missing" >&2; exit 127\n'})
  t.match(await install(rig, '--from', broken), {
    code: 1,
    err: /does not start here: libatomic.*\n.*apt-get install libatomic1/
  })
  await writeFile(join(broken, 'SHA256SUMS'), `${sumOf(PROGRAM)}  pillion-9.9.9-plan9-mips\n`)
  t.match(await install(rig, '--from', broken), {code: 1, err: /has no executable for/})
  t.match(await install(rig, '--from', join(rig.folder, 'nowhere')), {code: 1, err: /SHA256SUMS cannot be had/})
  t.strictSame(readdirSync(bin), ['pillion'])
  t.equal(readFileSync(join(bin, 'pillion'), 'utf8'), PROGRAM)
})

t.test('a file that its sum fits, and that is no archive, changes nothing', async t => {
  const {rig, bin} = await opened(t)
  const from = await released(rig, {sum: sumOf('no archive')})
  await writeFile(join(from, NAME), 'no archive')
  t.match(await install(rig, '--from', from), {code: 1, err: /cannot be unpacked/})
  t.strictSame(readdirSync(bin), [])
})

t.test('a Mac, and a shell under Rosetta there', async t => {
  const {rig} = await opened(t)
  const from = await released(rig, {name: 'pillion-9.9.9-darwin-x64.gz'})
  await rig.write({
    'tools/uname': '#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo x86_64\n',
    'tools/sysctl': '#!/bin/sh\n[ "$*" = "-n sysctl.proc_translated" ] && echo 1\n'
  })
  for (const tool of ['uname', 'sysctl']) await chmod(join(rig.folder, 'tools', tool), 0o755)
  const script = rig.start(['/bin/sh', SCRIPT, '--from', from], {
    env: {HOME: rig.home, PATH: `${rig.folder}/tools:/usr/bin:/bin`}
  })
  t.match(await script.exited, {code: 0})
  t.match(script.stdout.text, /runs under Rosetta: .* arch -arm64/)
})

t.test('over HTTP: half a download is told', async t => {
  const {rig, bin} = await opened(t)
  const from = await released(rig)
  let isHalf = true
  const server = createServer((request, response) => {
    const text = readFileSync(join(from, request.url ?? ''))
    response.setHeader('content-length', text.length)
    if (!isHalf || request.url === '/SHA256SUMS') return void response.end(text)
    response.write(text.subarray(0, 10), () => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  t.match(await install(rig, '--from', url), {code: 1, err: /cannot be had\n/})
  t.notOk(existsSync(join(bin, 'pillion')))
  isHalf = false
  t.match(await install(rig, '--from', url), {code: 0})
  t.equal(readFileSync(join(bin, 'pillion'), 'utf8'), PROGRAM)
})

t.test('a folder that cannot be written, another one in PATH, and arguments that are none', async t => {
  const {rig} = await opened(t)
  const from = await released(rig)
  await rig.write({file: ''})
  t.match(await install(rig, '--from', from, '--to', join(rig.folder, 'file')), {
    code: 1,
    err: /file cannot be written\n/
  })
  const first = join(rig.folder, 'first')
  await mkdir(first)
  await writeFile(join(first, 'pillion'), PROGRAM)
  await chmod(join(first, 'pillion'), 0o755)
  const bin = join(rig.folder, 'a folder')
  const script = rig.start(['/bin/sh', SCRIPT, '--from', from, '--to', bin], {
    env: {HOME: rig.home, PATH: `${first}:${bin}:/usr/bin:/bin`}
  })
  t.match(await script.exited, {code: 0})
  t.match(script.stdout.text, `another one is found first: ${first}/pillion\n`)
  // not there before, and the first one once it is
  const own = join(rig.folder, 'own')
  const before = rig.start(['/bin/sh', SCRIPT, '--from', from, '--to', own], {
    env: {HOME: rig.home, PATH: `${own}:${first}:/usr/bin:/bin`}
  })
  t.match(await before.exited, {code: 0})
  t.notMatch(before.stdout.text, /another one/)
  const near = rig.start(['/bin/sh', SCRIPT, '--from', from, '--to', 'a folder'], {
    env: {HOME: rig.home, PATH: `${bin}:/usr/bin:/bin`}
  })
  t.match(await near.exited, {code: 0})
  t.notMatch(near.stdout.text, /not in your PATH|another one/, 'a folder that is named from here is the same')
  await symlink(bin, join(rig.folder, 'link'))
  for (const path of [`${bin}/`, join(rig.folder, 'link')]) {
    const again = rig.start(['/bin/sh', SCRIPT, '--from', from, '--to', bin], {
      env: {HOME: rig.home, PATH: `${path}:/usr/bin:/bin`}
    })
    t.match(await again.exited, {code: 0})
    t.notMatch(again.stdout.text, /not in your PATH|another one/, `${path} is the same`)
  }
  await mkdir(join(rig.folder, 'sources/pillion'), {recursive: true})
  const taken = ['--to', join(rig.folder, 'sources')]
  for (const args of [
    ['--from', from, ...taken],
    ['--uninstall', ...taken]
  ])
    t.match(await install(rig, ...args), {code: 1, err: /sources\/pillion is a folder\n/})
  t.strictSame(readdirSync(join(rig.folder, 'sources/pillion')), [])
  t.match(await install(rig), {code: 1, err: /where are the files of the release\?/})
  t.match(await install(rig, '--from'), {code: 1, err: /--from needs a value/})
  t.match(await install(rig, '--form', 'x'), {code: 1, err: /unknown argument: --form\n/})
})
